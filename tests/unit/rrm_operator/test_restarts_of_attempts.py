"""Which ends are tried again, how often, after how long, and where."""

from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import begins, ends, live_until_provisioning


def wait_of(world: Any) -> None:
    world.seconds += 601


async def test_restarts_that_save_nothing_are_counted_until_they_are_exhausted(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"maxRestarts": 2}))
    await live_until_provisioning(operator)
    for attempt in (1, 2, 3):
        await begins(operator, attempt, step=3)
        world.train_fails(attempt=attempt)
        stage = await ends(operator)
        if attempt < 3:
            assert stage == "BackingOff"
            wait_of(world)
    assert stage == "Failed"
    assert world.condition("Stalled")["reason"] == "RestartsExhausted"
    assert "3 in a row saved nothing new, 2 restarts are allowed" in world.condition("Stalled")["message"]
    assert [it["restarts"] for it in world.status["attempts"]] == [0, 1, 2]
    assert world.status["failure"]["logTail"] == "last line"


async def test_a_new_checkpoint_gives_all_restarts_back(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"maxRestarts": 1}))
    await live_until_provisioning(operator)
    for attempt, saved in ((1, None), (2, 6), (3, 12), (4, 12)):
        await begins(operator, attempt, step=3, saved=saved)
        world.train_fails(attempt=attempt)
        assert await ends(operator) == "BackingOff"
        wait_of(world)
    await begins(operator, 5, step=3, saved=12)
    world.train_fails(attempt=5)
    assert await ends(operator) == "Failed"
    assert [it["restarts"] for it in world.status["attempts"]] == [0, 1, 0, 0, 1]


async def test_raising_the_limit_goes_on_and_lowering_it_under_a_running_attempt_changes_nothing(
    unforgiving: Any,
) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.train_fails()
    assert await ends(operator) == "Failed"
    world.edit(lambda spec: spec.update(policy={"maxRestarts": 3}))
    assert await operator.settle() == "BackingOff"
    wait_of(world)
    assert await operator.settle() == "Provisioning"
    world.edit(lambda spec: spec.update(policy={"maxRestarts": 0}))
    assert await operator.settle() == "Provisioning"


async def test_a_retry_revives_what_has_failed_with_all_its_restarts_once(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.train_fails()
    assert await ends(operator) == "Failed"
    world.annotate(**{group.ANNOTATION_RETRY: "monday"})
    assert await operator.settle() == "Provisioning"
    await begins(operator, 2, step=3)
    assert world.status["lastHandledRetry"] == "monday"
    assert world.status["attempts"][1]["restarts"] == 0
    world.train_fails(attempt=2)
    assert await ends(operator) == "Failed"
    for _ in range(3):
        operator.restart()
        assert await operator.settle() == "Failed"


async def test_a_retry_of_something_that_runs_is_handled_in_vain(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.annotate(**{group.ANNOTATION_RETRY: "too early"})
    assert await operator.settle() == "Training"
    assert world.status["lastHandledRetry"] == "too early"
    world.train_fails()
    assert await ends(operator) == "Failed"


@pytest.mark.parametrize("exit_code", [10, 11, 12, 13, 14])
async def test_a_mistake_of_the_user_is_not_tried_again(operator: Any, exit_code: int) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.train_fails(exit_code=exit_code)
    assert await ends(operator) == "Failed"
    assert world.condition("Stalled")["reason"] == "TrainingFailed"


def ends_with(world: Any, attempt: int, tail: str) -> None:
    failed = {"result": Result.FAILED, "reason": Reason.TRAINING_FAILED, "exit_code": 1}
    world.write_record(world.record(Role.TRAIN, attempt=attempt, message="it died", log_tail=tail, **failed))


async def test_a_configuration_that_verl_refuses_at_its_start_is_not_tried_again(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    await operator.settle()
    ends_with(world, 1, "Traceback\nAssertionError: real_train_batch_size must be divisible")
    assert await ends(operator) == "Failed"
    assert world.condition("Stalled")["reason"] == "TrainingFailed"


async def test_out_of_memory_is_tried_again_once_at_the_same_step(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=8)
    ends_with(world, 1, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB")
    assert await ends(operator) == "BackingOff"
    assert world.status["attempts"][0]["reason"] == "OutOfMemory"
    wait_of(world)
    await begins(operator, 2, step=9)
    ends_with(world, 2, "CUDA out of memory")
    assert await ends(operator) == "Failed"
    assert world.condition("Stalled")["reason"] == "OutOfMemory"
    assert "microBatchSizePerGPU" in world.condition("Stalled")["message"]


async def test_out_of_memory_far_from_the_last_time_is_tried_again(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    ends_with(world, 1, "CUDA out of memory")
    await ends(operator)
    wait_of(world)
    await begins(operator, 2, step=17)
    ends_with(world, 2, "CUDA out of memory")
    assert await ends(operator) == "BackingOff"


READY = {"conditions": [{"type": "Ready", "status": "True"}]}


async def test_a_crash_among_healthy_pods_is_tried_again_on_the_same_cluster_once(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    for pod in world.pods("tiny-judge-c1"):
        world.change_pod(pod, **READY)
    world.train_fails()
    assert await operator.settle() == "BackingOff"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"], "minutes of images and weights are saved"
    world.seconds += 10
    assert await operator.settle() == "Starting"
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert [it["cluster"] for it in world.status["attempts"]] == ["tiny-judge-c1"] * 2
    world.train_reports(3, attempt=2)
    assert await operator.settle() == "Training"
    world.train_fails(attempt=2)
    assert await ends(operator) == "BackingOff"
    assert world.named(Kind.RAY_CLUSTER) == []
    wait_of(world)
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c3"]


async def test_an_edited_training_does_not_go_on_with_the_old_pods(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    for pod in world.pods("tiny-judge-c1"):
        world.change_pod(pod, **READY)
    world.edit(lambda spec: spec["workers"].update(nodeSelector={"pool": "gpu"}))
    assert await operator.settle() == "Training"
    world.train_fails()
    assert await operator.settle() == "Releasing"


async def test_what_has_ended_stays_ended_whatever_is_reported_later(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.delete_pod("tiny-judge-c1-head")
    await operator.settle()
    told = world.status["attempts"][0]
    world.train_fails(exit_code=143)
    world.seconds += 5
    await operator.settle()
    assert world.status["attempts"][0] == told


async def test_how_it_ended_is_not_taken_back_by_a_spec_that_cannot_be_read(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.train_ends()
    await ends(operator)
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"
    world.edit(lambda spec: spec.update(method="Telepathic"))
    assert await operator.settle() == "Succeeded"
    assert world.condition("Succeeded")["status"] == "True"
    assert "method" in world.status["failure"]["message"]


async def test_without_kuberay_the_next_attempt_waits_and_what_has_failed_stays_failed(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=3)
    world.train_fails()
    assert await ends(operator) == "BackingOff"
    world.store.set_kuberay(installed=False)
    wait_of(world)
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "KubeRayMissing"
    world.store.set_kuberay(installed=True)
    assert await operator.settle() == "Provisioning"
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_fails(exit_code=11, attempt=2)
    assert await ends(operator) == "Failed"
    world.store.set_kuberay(installed=False)
    assert await operator.settle() == "Failed"
