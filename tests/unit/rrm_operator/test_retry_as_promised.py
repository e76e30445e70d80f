"""What `rrm retry` promises or refuses, and what the operator then does: two rooms that must agree."""

from typing import Any

import pytest

from rrm.trainings.errors import NothingToRetry
from rrm.trainings.reading import read_training
from rrm.trainings.retry import what_follows
from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.facts import Kind

BROKEN_NODE = {
    "result": Result.FAILED,
    "reason": Reason.PREPARE_FAILED,
    "message": "the hub did not answer",
    "exit_code": 20,
}


def promise(operator: Any) -> str:
    return what_follows(read_training(operator.world.training))


def refusal(operator: Any) -> str:
    with pytest.raises(NothingToRetry) as refused:
        promise(operator)
    return str(refused.value)


async def retry(operator: Any) -> str:
    """Try again; the garbage collector removes the pods of a Job that goes."""
    world = operator.world
    world.annotate(**{group.ANNOTATION_RETRY: "monday"})
    await operator.look()
    for pod in (it for it in world.named(Kind.POD) if it.endswith(("-prepare", "-export"))):
        world.remove(Kind.POD, pod)
    stage: str = await operator.settle()
    assert world.status["lastHandledRetry"] == "monday"
    return stage


async def training(operator: Any) -> None:
    if await operator.settle() == "Preparing":
        operator.world.prepare_succeeds()
        await operator.settle()
    operator.world.cluster_becomes_ready()
    await operator.settle()
    operator.world.train_reports(7)
    assert await operator.settle() == "Training"


async def breaks(operator: Any) -> str:
    """Let the attempt end badly and its pods leave."""
    await training(operator)
    operator.world.train_fails()
    await operator.settle()
    operator.world.pods_leave()
    return str(await operator.settle())


async def test_a_failed_training_begins_its_next_attempt_with_all_its_restarts(unforgiving: Any) -> None:
    assert await breaks(unforgiving) == "Failed"
    assert promise(unforgiving) == (
        "attempt 2 begins from the start, with all its restarts (spec.policy.maxRestarts)"
    )
    assert await retry(unforgiving) == "Provisioning"
    unforgiving.world.cluster_becomes_ready()
    await unforgiving.settle()
    assert [(it["number"], it["restarts"]) for it in unforgiving.world.status["attempts"]][1:] == [(2, 0)]


async def test_a_retry_long_after_the_data_was_prepared_is_answered_and_gives_its_restarts_once(
    unforgiving: Any,
) -> None:
    operator, world = unforgiving, unforgiving.world
    await operator.settle()
    world.prepare_succeeds()
    await operator.settle()
    world.seconds += 60
    assert await breaks(operator) == "Failed"
    assert await retry(operator) == "Provisioning"
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_fails(attempt=2)
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed", "it was asked once to try again"


async def test_a_wait_is_cut_short(operator: Any) -> None:
    assert await breaks(operator) == "BackingOff"
    assert promise(operator).startswith("attempt 2 begins at once instead of later")
    assert await retry(operator) == "Provisioning"


async def test_a_release_after_a_failure_is_followed_by_the_next_attempt_without_a_wait(
    operator: Any,
) -> None:
    await training(operator)
    operator.world.train_fails(exit_code=20)
    operator.world.delete_pod(f"{operator.world.newest_cluster}-worker")
    assert await operator.settle() == "Releasing"
    assert "attempt 2 begins once the pods of attempt 1 are gone" in promise(operator)
    assert await retry(operator) == "Releasing"
    operator.world.pods_leave()
    assert await operator.settle() == "Provisioning"


async def test_what_trains_is_refused_and_would_not_be_changed(operator: Any) -> None:
    await training(operator)
    assert "is Training and has not failed" in refusal(operator)
    assert await retry(operator) == "Training"


async def test_what_has_succeeded_is_refused_and_would_stay_so(operator: Any) -> None:
    await training(operator)
    operator.world.train_ends()
    assert await operator.settle() == "Releasing"
    assert "has not failed" in refusal(operator)
    operator.world.pods_leave()
    assert await operator.settle() == "Exporting"
    assert "is Exporting and has not failed" in refusal(operator)
    operator.world.export_succeeds()
    assert await operator.settle() == "Succeeded"
    assert "has succeeded" in refusal(operator)
    assert await retry(operator) == "Succeeded"


async def test_data_that_was_not_prepared_is_prepared_again(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.job_ends(Role.PREPARE, world.record(Role.PREPARE, **BROKEN_NODE), exit_code=20)
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    assert promise(operator) == "its data is prepared again"
    assert await retry(operator) == "Preparing"


async def test_data_that_found_no_room_is_prepared_again(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    full = {**BROKEN_NODE, "reason": Reason.VOLUME_UNAVAILABLE, "message": "the volume is full"}
    world.job_ends(Role.PREPARE, world.record(Role.PREPARE, **full), exit_code=20)
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "VolumeUnavailable"
    assert promise(operator) == "its data is prepared again"
    assert await retry(operator) == "Preparing"


async def test_an_export_that_failed_is_made_again(operator: Any) -> None:
    world = operator.world
    await training(operator)
    world.train_ends()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Exporting"
    world.job_ends(Role.EXPORT, None, exit_code=20)
    world.seconds += 10
    assert await operator.settle() == "Failed"
    assert promise(operator) == "it is exported again"
    assert await retry(operator) == "Exporting"


async def test_what_failed_and_is_suspended_waits_until_it_goes_on(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    assert await breaks(operator) == "Failed"
    world.edit(lambda spec: spec.update(suspend=True))
    assert await operator.settle() == "Failed"
    assert "but only when it is no longer suspended" in promise(operator)
    assert await retry(operator) == "Suspended"
    world.edit(lambda spec: spec.update(suspend=False))
    assert await operator.settle() == "Provisioning"


async def test_what_is_suspended_while_it_waits_is_tried_again_when_it_goes_on(operator: Any) -> None:
    world = operator.world
    assert await breaks(operator) == "BackingOff"
    world.edit(lambda spec: spec.update(suspend=True))
    assert await operator.settle() == "Suspended"
    assert "is tried again when it goes on" in promise(operator)
    assert await retry(operator) == "Suspended"
    world.edit(lambda spec: spec.update(suspend=False))
    assert await operator.settle() == "Provisioning"


async def test_a_deadline_that_has_passed_starts_anew(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"activeDeadlineSeconds": 50}))
    assert await operator.settle() == "Preparing"
    world.seconds += 50
    assert await operator.settle() == "Failed"
    assert "its time (spec.policy.activeDeadlineSeconds) starts anew" in promise(operator)
    assert await retry(operator) == "Preparing"


async def test_a_claim_that_is_missing_is_waited_for_and_a_retry_would_not_help(operator: Any) -> None:
    world = operator.world
    world.claims["shared"] = None
    world.edit(lambda spec: spec.update(checkpoints={"volume": {"claimName": "shared"}}))
    assert await operator.settle() == "Stalled"
    assert "goes on by itself once the cause is gone (VolumeUnavailable: expected a claim" in refusal(
        operator
    )
    assert await retry(operator) == "Stalled"
    del world.claims["shared"]
    world.seconds += 30
    assert await operator.settle() == "Preparing"


async def test_a_missing_kuberay_is_told_before_data_that_was_not_prepared(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.job_ends(Role.PREPARE, world.record(Role.PREPARE, **BROKEN_NODE), exit_code=20)
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    world.store.set_kuberay(installed=False)
    await operator.settle()
    assert world.condition("Stalled")["reason"] == "KubeRayMissing"
    assert "goes on by itself once the cause is gone (KubeRayMissing" in refusal(operator)


async def test_a_missing_kuberay_is_waited_for_and_a_retry_would_not_help(operator: Any) -> None:
    await operator.settle()
    operator.world.store.set_kuberay(installed=False)
    assert await operator.settle() == "Stalled"
    assert "goes on by itself once the cause is gone (KubeRayMissing" in refusal(operator)
    assert await retry(operator) == "Stalled"
    operator.world.store.set_kuberay(installed=True)
    assert await operator.settle() == "Preparing"


async def test_what_a_person_suspended_has_not_failed_and_a_retry_would_give_it_nothing(
    operator: Any,
) -> None:
    world = operator.world
    await training(operator)
    world.edit(lambda spec: spec.update(suspend=True))
    assert await operator.settle() == "Stopping"
    left = {"result": Result.STOPPED, "reason": Reason.SUSPENDED, "message": "saved step 7", "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, **left))
    assert await operator.settle() == "Releasing"
    assert "gives its GPUs back and has not failed" in refusal(operator)
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    assert world.status["failure"]["reason"] == "Suspended"
    assert "is suspended and has not failed" in refusal(operator)


async def test_a_spec_that_cannot_be_read_is_corrected_and_a_retry_would_not_be_answered(
    operator: Any,
) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(nonsense=True))
    assert await operator.settle() == "Stalled"
    assert "cannot be read" in refusal(operator)
    assert "correct it; that is enough" in refusal(operator)
    world.annotate(**{group.ANNOTATION_RETRY: "monday"})
    await operator.settle()
    assert "lastHandledRetry" not in world.status


async def test_a_claim_that_went_after_an_attempt_broke_is_waited_for_and_a_retry_would_not_help(
    operator: Any,
) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(checkpoints={"volume": {"claimName": "shared"}}))
    assert await breaks(operator) == "BackingOff"
    world.claims["shared"] = None
    world.seconds += 3600
    assert await operator.settle() == "Stalled"
    assert "goes on by itself once the cause is gone (VolumeUnavailable" in refusal(operator)
