"""A value of the retry annotation that is longer than status can hold: it is answered, and once."""

from typing import Any

from rrm.trainings.reading import read_training
from rrm_api import group
from tests.unit.rrm_operator.test_retry_as_promised import breaks

LONG = "please " * 100
OTHER = "now " + LONG


async def test_a_long_value_gives_its_restarts_once(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    assert await breaks(operator) == "Failed"
    world.annotate(**{group.ANNOTATION_RETRY: LONG})
    assert read_training(world.training).retry_waits
    assert await operator.settle() == "Provisioning"
    assert not read_training(world.training).retry_waits
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_fails(attempt=2)
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed", "it was asked once to try again"


async def test_another_long_value_is_another_retry(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    assert await breaks(operator) == "Failed"
    for attempt, value in ((2, LONG), (3, OTHER)):
        world.annotate(**{group.ANNOTATION_RETRY: value})
        assert await operator.settle() == "Provisioning"
        world.cluster_becomes_ready()
        await operator.settle()
        world.train_fails(attempt=attempt)
        await operator.settle()
        world.pods_leave()
        assert await operator.settle() == "Failed"


async def test_what_is_refused_after_a_long_value_was_answered_stays_refused(operator: Any) -> None:
    world = operator.world
    world.refuses["Job"] = "spec.template: Invalid value"
    assert await operator.settle() == "Stalled"
    world.annotate(**{group.ANNOTATION_RETRY: LONG})
    assert await operator.settle() == "Stalled"
    asked = world.log.count("status")
    for _ in range(5):
        await operator.look()
    assert world.log.count("status") == asked
    assert world.status["stage"] == "Stalled"
    assert not read_training(world.training).retry_waits
