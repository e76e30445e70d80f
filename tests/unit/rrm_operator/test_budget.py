"""The budget of restarts: what gives it back."""

from typing import Any

from rrm_api.conditions import Reason


async def training(operator: Any, step: int, *, attempt: int, saved: int | None = None) -> None:
    world = operator.world
    for _ in range(8):
        stage = await operator.settle()
        if stage == "Preparing":
            world.prepare_succeeds()
        elif stage == "Provisioning":
            world.cluster_becomes_ready()
        elif stage == "Releasing":
            world.pods_leave()
        elif stage == "BackingOff":
            world.seconds += 700
        elif stage == "Starting":
            world.train_reports(step, attempt=attempt, saved=saved)
        else:
            break
    assert stage == "Training"


def head_is_lost(world: Any) -> None:
    world.delete_pod(f"{world.newest_cluster}-head")


async def test_a_checkpoint_gives_the_budget_back_however_its_attempt_ended(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"maxRestarts": 2}))
    for attempt in (1, 2):
        await training(operator, 2, attempt=attempt)
        head_is_lost(world)
    await training(operator, 12, attempt=3, saved=12)
    assert world.status["attempts"][-1]["restarts"] == 2
    world.edit(lambda spec: spec.update(suspend=True))
    assert await operator.settle() == "Stopping"
    world.seconds += 700
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    world.edit(lambda spec: spec.update(suspend=False))
    await training(operator, 14, attempt=4)
    assert world.status["attempts"][-1].get("restarts", 0) == 0
    head_is_lost(world)
    await training(operator, 14, attempt=5)
    assert world.status["attempts"][-2]["reason"] == Reason.CLUSTER_LOST
