"""Suspend and resume: whatever a training does, it saves what it can, gives its GPUs back, and goes on."""

from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_training


def suspends(spec: Any) -> None:
    spec["suspend"] = True


def resumes(spec: Any) -> None:
    spec["suspend"] = False


def stopped(world: Any, step: int = 7) -> None:
    """Let the trainer do what it was asked: save, and leave with 30."""
    world.train_reports(step, saved=step)
    left = {"result": Result.STOPPED, "reason": Reason.CHECKPOINT_SAVED, "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, message=f"stopped after step {step}", **left))


async def test_a_training_saves_before_its_gpus_go_and_resumes_where_it_was(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(suspends)
    assert await operator.settle() == "Stopping"
    attempt = world.status["attempts"][0]
    assert (attempt["stopReason"], "stopTime" in attempt) == ("Suspended", True)
    progress = world.objects[Kind.CONFIG_MAP, "tiny-judge-progress"]
    assert progress["metadata"]["annotations"][group.ANNOTATION_STOP_ATTEMPT] == "1"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]
    assert not [line for line in world.log if line.startswith("stop")]

    stopped(world)
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    assert world.condition("Suspended")["status"] == "True"
    assert world.condition("Ready")["status"] == "True"
    assert "step 7 is saved" in world.condition("Ready")["message"]
    attempt = world.status["attempts"][0]
    assert (attempt["reason"], attempt["savedStep"], attempt["restarts"]) == ("Suspended", 7, 0)
    assert world.named(Kind.RAY_CLUSTER) == []
    assert world.named(Kind.POD_DISRUPTION_BUDGET) == []

    world.edit(resumes)
    assert await operator.settle() == "Provisioning"
    world.cluster_becomes_ready()
    await operator.settle()
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert world.status["attempts"][1]["restarts"] == 0, "a suspension is no restart"


async def test_a_trainer_that_does_not_save_in_time_is_stopped_by_ray_and_then_released(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(suspends)
    await operator.settle()
    world.seconds += 599
    assert await operator.settle() == "Stopping"
    assert not [line for line in world.log if line.startswith("stop")]
    world.seconds += 1
    await operator.look()
    assert world.log[-1] == "stop 0a1b2c3d-a1"
    world.seconds += 20
    await operator.look()
    assert world.status["stage"] == "Releasing"
    assert "did not save in time" in world.status["attempts"][0]["message"]


@pytest.mark.parametrize("grace", [0, 600])
async def test_before_its_first_step_there_is_nothing_to_save(operator: Any, grace: int) -> None:
    world = operator.world
    world.edit(lambda spec: spec["checkpoints"].update(saveGraceSeconds=grace))
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    world.edit(suspends)
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    assert world.status["attempts"][0]["reason"] == "Suspended"


async def test_without_a_grace_the_gpus_go_at_once(operator: Any) -> None:
    operator.world.edit(lambda spec: spec["checkpoints"].update(saveGraceSeconds=0))
    await live_until_training(operator, step=7)
    operator.world.edit(suspends)
    assert await operator.settle() == "Releasing"


async def test_a_stop_is_carried_through_although_the_suspension_is_taken_back(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(suspends)
    assert await operator.settle() == "Stopping"
    world.edit(resumes)
    operator.restart()
    assert await operator.settle() == "Stopping"
    stopped(world)
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]


async def test_a_training_that_is_created_suspended_has_no_children(operator: Any) -> None:
    world = operator.world
    world.edit(suspends)
    assert await operator.settle() == "Suspended"
    assert world.named(Kind.JOB) + world.named(Kind.CONFIG_MAP) == []
    assert [it.reason for it in world.events] == ["Suspended"]
    world.edit(resumes)
    assert await operator.settle() == "Preparing"


async def test_a_job_is_removed_and_made_again_on_resume(operator: Any) -> None:
    world = operator.world
    assert await operator.settle() == "Preparing"
    world.edit(suspends)
    assert await operator.settle() == "Suspended"
    assert world.named(Kind.JOB) == []
    world.edit(resumes)
    assert await operator.settle() == "Preparing"
    assert len(world.named(Kind.JOB)) == 1


async def test_a_cluster_that_nothing_was_submitted_to_goes_at_once(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    world.edit(suspends)
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    assert "attempts" not in world.status or world.status["attempts"] == []
    world.edit(resumes)
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]


async def test_a_suspension_while_backing_off_keeps_the_budget(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_fails()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "BackingOff"
    world.edit(suspends)
    assert await operator.settle() == "Suspended"
    world.edit(resumes)
    world.seconds += 10
    assert await operator.settle() == "Provisioning"
    world.cluster_becomes_ready()
    await operator.settle()
    assert world.status["attempts"][-1]["restarts"] == 1


async def test_what_a_person_must_do_is_still_told_while_suspended(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.job_ends(Role.PREPARE, None, exit_code=10)
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    cause = world.status["failure"]
    world.edit(suspends)
    assert await operator.settle() == "Suspended"
    assert world.status["failure"] == cause
    world.edit(resumes)
    assert await operator.settle() == "Stalled"


async def test_what_has_succeeded_or_failed_is_not_changed_by_a_suspension(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.train_fails()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
    world.edit(suspends)
    assert await operator.settle() == "Failed"
    world.edit(resumes)
    assert await operator.settle() == "Failed", "nothing terminal comes alive by itself"


async def test_an_attempt_that_reaches_its_last_step_while_it_is_stopped_has_reached_it(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(suspends)
    assert await operator.settle() == "Stopping"
    world.train_ends()
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    world.edit(resumes)
    assert await operator.settle() == "Exporting"
    world.edit(suspends)
    assert await operator.settle() == "Suspended"
    assert not [name for name in world.named(Kind.JOB) if "export" in name]
    world.edit(resumes)
    assert await operator.settle() == "Exporting"
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"
    world.edit(suspends)
    assert await operator.settle() == "Succeeded"
