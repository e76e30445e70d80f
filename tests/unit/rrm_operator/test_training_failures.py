"""A training process that ends badly: its pods leave first, and only then is it told as failed."""

from typing import Any

from rrm_operator.facts import Kind, RayJobState
from tests.unit.rrm_operator.lives import live_until_training, stalled


async def test_a_dead_training_process_is_released_first_and_then_failed(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.train_fails(exit_code=137)
    assert await operator.settle() == "Releasing"
    assert world.status["failure"]["exitCode"] == 137
    assert world.status["failure"]["logTail"] == "last line"
    assert world.condition("Stalled")["status"] == "False"
    assert "delete RayCluster tiny-judge-c1" in world.log
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert stalled(operator)["reason"] == "RestartsExhausted"
    assert "TrainerCrashed: verl died of signal 9" in stalled(operator)["message"]
    assert world.condition("Succeeded")["status"] == "False"
    assert world.events[-1].type == "Warning"
    assert world.named(Kind.PERSISTENT_VOLUME_CLAIM) == ["tiny-judge-checkpoints"]


async def test_a_run_that_ends_with_zero_before_its_last_checkpoint_has_failed(unforgiving: Any) -> None:
    operator = unforgiving
    await live_until_training(operator, step=7)
    operator.world.train_ends(saved=12)
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Failed"
    assert "step 12" in stalled(operator)["message"]


async def test_a_ray_job_that_ended_without_a_record_fails_after_a_grace(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.jobs["0a1b2c3d-a1"] = RayJobState.FAILED
    world.seconds += 61
    assert await operator.settle() == "Training"
    world.seconds += 10
    assert await operator.settle() == "Releasing"
    assert "Ray says FAILED" in world.status["failure"]["message"]


async def test_a_job_that_somebody_else_stopped_is_no_success(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.jobs["0a1b2c3d-a1"] = RayJobState.STOPPED
    for _ in range(2):
        world.seconds += 61
        await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
