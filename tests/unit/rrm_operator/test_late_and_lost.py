"""What is seen late, or only by a person: an operator that was away, a status that is lost, a late edit."""

from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.facts import ClaimFact, Kind
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_training

LONG = 7_200
"""Seconds: longer than any deadline of the example."""
BAD_NAME = {"waiting": {"reason": "InvalidImageName", "message": 'couldn\'t parse image "X:Y:Z"'}}
CLAIM = (Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints")


async def succeeded(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.train_ends()
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Exporting"
    operator.world.export_succeeds()
    assert await operator.settle() == "Succeeded"


async def failed(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.train_fails(exit_code=11)
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Failed"


async def suspended(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7, saved=6)
    world.edit(lambda spec: spec.update(suspend=True))
    await operator.settle()
    left = {"result": Result.STOPPED, "reason": Reason.SUSPENDED, "message": "saved step 7", "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, **left))
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Suspended"


def suspend_cluster(world: Any) -> None:
    name = world.newest_cluster
    world._change(Kind.RAY_CLUSTER, name, lambda it: it["spec"].update(suspend=True))


@pytest.mark.parametrize("has_answered", [True, False])
async def test_a_training_whose_status_was_lost_while_it_held_nothing_goes_on(
    operator: Any, *, has_answered: bool
) -> None:
    world = operator.world
    await suspended(operator)
    if not has_answered:
        world._change(Kind.CONFIG_MAP, "tiny-judge-progress", lambda it: it["data"].pop("train"))
    world._change(group.KIND, "tiny-judge", lambda it: it.pop("status"))
    world.edit(lambda spec: spec.pop("suspend"))
    operator.restart()
    assert await operator.settle() in ("BackingOff", "Provisioning")
    world.seconds += 600
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]
    assert [it["number"] for it in world.status["attempts"]][:1] == [1]


async def test_how_it_ended_while_the_operator_was_away_is_no_hang(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_fails(exit_code=11)
    world.seconds += LONG
    operator.restart()
    await operator.settle()
    assert world.status["attempts"][0]["reason"] == "TrainingFailed"
    world.pods_leave()
    assert await operator.settle() == "Failed"


async def test_a_retry_of_what_ended_while_the_operator_was_away_is_not_forgotten(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_fails(exit_code=11)
    world.annotate(**{group.ANNOTATION_RETRY: "1"})
    operator.restart()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]


@pytest.mark.parametrize("role", [Role.PREPARE, Role.EXPORT])
async def test_a_retry_of_a_failed_job_waits_until_the_training_goes_on(operator: Any, role: Role) -> None:
    world = operator.world
    stage = "Preparing"
    await operator.settle()
    if role is Role.EXPORT:
        stage = "Exporting"
        await live_until_training(operator, step=7)
        world.train_ends()
        await operator.settle()
        world.pods_leave()
        assert await operator.settle() == "Exporting"
    world.job_ends(role, None, exit_code=1)
    world.seconds += 30
    assert await operator.settle() in ("Stalled", "Failed")
    world.edit(lambda spec: spec.update(suspend=True))
    await operator.settle()
    world.annotate(**{group.ANNOTATION_RETRY: "1"})
    assert await operator.settle() == "Suspended"
    world.edit(lambda spec: spec.pop("suspend"))
    await operator.settle()
    for pod in world.named(Kind.POD):
        world.remove(Kind.POD, pod)
    assert await operator.settle() == stage


async def test_quota_that_went_while_the_operator_was_away_is_no_hang(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    suspend_cluster(world)
    world.seconds += LONG
    operator.restart()
    assert await operator.settle() == "Provisioning"
    assert world.status["attempts"][0]["reason"] == "Preempted"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"], "its Workload keeps its place in the queue"


@pytest.mark.parametrize("result", [Result.STOPPED, Result.FAILED])
async def test_a_trainer_that_lost_its_quota_was_preempted_whatever_it_says_of_it(
    operator: Any, result: Result
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    suspend_cluster(world)
    code = 30 if result is Result.STOPPED else 1
    said = {"result": result, "reason": Reason.TRAINING_FAILED, "message": "left", "exit_code": code}
    world.write_record(world.record(Role.TRAIN, attempt=1, **said))
    assert await operator.settle() == "Provisioning"
    assert world.status["attempts"][0]["reason"] == "Preempted"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"], "its Workload keeps its place in the queue"


@pytest.mark.parametrize("end", [succeeded, failed, suspended])
async def test_what_becomes_of_the_claim_can_be_decided_after_the_end(operator: Any, end: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(deletionPolicy="Delete"))
    await end(operator)
    assert "ownerReferences" in world.objects[CLAIM]["metadata"]
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(deletionPolicy="Retain"))
    await operator.settle()
    assert "ownerReferences" not in world.objects[CLAIM]["metadata"], "it would go with the training"
    world.remove(*CLAIM)
    await operator.settle()
    assert CLAIM not in world.objects, "nothing needs it any more"


async def test_ray_pods_with_an_image_name_that_is_none_give_their_gpus_back_at_once(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    waits = [{"name": "main", "state": BAD_NAME}]
    world.add_pod(world.newest_cluster, "head", phase="Pending", containerStatuses=waits)
    world.add_pod(world.newest_cluster, "worker", phase="Pending", containerStatuses=waits)
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "ImageUnavailable"
    assert "couldn't parse image" in world.condition("Stalled")["message"]
    assert world.named(Kind.RAY_CLUSTER) == []
    world.edit(lambda spec: spec.update(image="registry.example.com/right:1"))
    assert await operator.settle() in ("Preparing", "Provisioning")


async def test_what_was_refused_is_tried_again_when_a_person_asks_for_it(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.refuses["RayCluster"] = "admission webhook denied the request: no cost centre"
    world.prepare_succeeds()
    assert await operator.settle() == "Stalled"
    world.annotate(**{group.ANNOTATION_RETRY: "1"})
    assert await operator.settle() == "Stalled"
    assert "no cost centre" in world.condition("Stalled")["message"]
    world.refuses.clear()
    world.annotate(**{group.ANNOTATION_RETRY: "2"})
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]


@pytest.mark.parametrize(("modes", "phase"), [(("ReadWriteOnce",), "Bound"), (("ReadWriteMany",), "Lost")])
async def test_a_claim_of_the_user_that_is_made_anew_is_seen_without_an_edit(
    operator: Any, modes: tuple[str, ...], phase: str
) -> None:
    world = operator.world
    world.claims["shared"] = ClaimFact("shared", phase, "1Ti", deleting=False, access_modes=modes)
    world.edit(lambda spec: spec["checkpoints"].update(volume={"claimName": "shared"}))
    world.edit(lambda spec: spec["workers"].update(nodes=2))
    assert await operator.settle() == "Stalled"
    world.claims.clear()
    wait = await operator.look()
    assert wait == 30
    world.seconds += wait
    assert await operator.settle() == "Preparing"


async def test_a_claim_of_the_user_that_went_while_suspended_is_missed_before_gpus_are_asked_for(
    operator: Any,
) -> None:
    world = operator.world
    world.edit(lambda spec: spec["checkpoints"].update(volume={"claimName": "shared"}))
    await suspended(operator)
    world.claims["shared"] = None
    world.seconds += 4_000
    world.edit(lambda spec: spec.pop("suspend"))
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "VolumeUnavailable"
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_a_trainer_whose_clock_is_ahead_does_not_keep_ray_from_being_asked(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.seconds += 86_400
    world.train_reports(8)
    world.seconds -= 86_400
    await operator.settle()
    looks = world.looks
    world.seconds += 60
    assert await operator.settle() == "Training"
    assert world.looks > looks
    assert (await operator.look() or 0) <= 60
