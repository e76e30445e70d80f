"""A Ray that does not answer is lost only after 300 s of it, and only if something else says so too."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_operator.assess.moments import written
from tests.unit.rrm_operator.lives import live_until_training

HEAD = "tiny-judge-c1-head"
LOST_AFTER = 300
POLL = 15


async def training(operator: Any) -> None:
    """Bring a training to its seventh step, and let Ray fall silent."""
    await live_until_training(operator, step=7)
    operator.world.ray_answers = False


def becomes_unready(world: Any) -> None:
    world.set_cluster(head=False, workers=1, reason="ContainersNotReady")


def is_restarted(world: Any) -> None:
    running = {"running": {"startedAt": written(world.seconds + 1)}}
    world.change_pod(HEAD, containerStatuses=[{"name": "main", "restartCount": 1, "state": running}])


@pytest.mark.parametrize("witness", [becomes_unready, is_restarted])
async def test_a_silent_ray_is_not_lost_in_299_s_although_its_head_is_unwell(
    operator: Any, witness: Callable[[Any], None]
) -> None:
    await training(operator)
    witness(operator.world)
    operator.world.seconds += POLL
    assert await operator.settle() == "Training"
    assert operator.world.looks == 1, "the silence begins with the first question that is not answered"
    operator.world.seconds += LOST_AFTER - 1
    assert await operator.settle() == "Training"
    assert "endTime" not in operator.world.status["attempts"][0]

    operator.world.seconds += 1
    assert await operator.settle() == "Releasing"
    (attempt,) = operator.world.status["attempts"]
    assert attempt["reason"] == "ClusterLost"


async def test_a_ray_that_is_silent_for_long_is_not_lost_while_its_head_is_well(operator: Any) -> None:
    await training(operator)
    for _ in range(100):
        operator.world.seconds += POLL
        assert await operator.settle() == "Training"
    assert "endTime" not in operator.world.status["attempts"][0]


async def test_a_ray_whose_trainer_has_reported_meanwhile_is_silent_only_since_then(operator: Any) -> None:
    world = operator.world
    await training(operator)
    world.seconds += 61
    assert await operator.settle() == "Training"
    assert world.looks == 1, "asked once, and then the trainer reports again"
    for step in range(8, 30):
        world.seconds += 30
        world.train_reports(step)
        await operator.settle()

    becomes_unready(world)
    world.seconds += POLL
    assert await operator.settle() == "Training", "one answer that did not come is no silence of 300 s"
    world.seconds += LOST_AFTER
    assert await operator.settle() == "Releasing"


async def test_a_trainer_in_a_long_step_is_asked_for_half_as_often(operator: Any) -> None:
    await training(operator)
    operator.world.ray_answers = True
    (key,) = operator.world.store.keys()
    operator.world.seconds += 61
    assert await operator.reconciler.reconcile(key) == POLL
    operator.world.seconds += 60
    assert await operator.reconciler.reconcile(key) == 2 * POLL
    operator.world.seconds += POLL
    await operator.reconciler.reconcile(key)
    assert operator.world.looks == 2


async def test_a_silent_ray_is_lost_only_with_a_second_witness(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.ray_answers = False
    for _ in range(30):
        world.seconds += 15
        assert await operator.settle() == "Training"
    world.set_cluster(head=False, workers=1, reason="ContainersNotReady")
    assert await operator.settle() == "Releasing"
    assert "ContainersNotReady" in world.status["failure"]["message"]


async def test_ray_is_not_asked_while_the_trainer_reports(operator: Any) -> None:
    await live_until_training(operator, step=7)
    looks = operator.world.looks
    for step in range(8, 20):
        operator.world.seconds += 30
        operator.world.train_reports(step)
        await operator.settle()
    assert operator.world.looks == looks
