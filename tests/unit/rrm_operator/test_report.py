"""What is written into the status, how often, and what is told as an event."""

from typing import Any

from rrm_api.conditions import ConditionType
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_training


async def test_all_conditions_are_there_from_the_first_visit_with_ready_first(operator: Any) -> None:
    await operator.look()
    assert [it["type"] for it in operator.world.status["conditions"]] == [it.value for it in ConditionType]


async def test_progress_is_written_at_most_each_30_seconds(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=1)
    written = world.log.count("status")
    for step in range(2, 20):
        world.seconds += 5
        world.train_reports(step)
        await operator.settle()
    assert world.log.count("status") - written == 3
    world.seconds += 5
    world.train_reports(20)
    assert await operator.look() == 25, "the difference that was held back is due then"


async def test_a_restart_does_not_write_progress_more_often(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=1)
    written = world.log.count("status")
    world.seconds += 5
    world.train_reports(2)
    operator.restart()
    await operator.settle()
    assert world.log.count("status") == written


async def test_a_clock_that_was_ahead_once_holds_no_progress_back(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=1)
    operator.restart()
    world.seconds -= 3600
    world.train_reports(2)
    await operator.settle()
    assert world.status["progress"]["step"] == 2


async def test_the_first_checkpoint_is_written_at_once(operator: Any) -> None:
    await live_until_training(operator, step=1)
    operator.world.seconds += 1
    operator.world.train_reports(2, saved=2)
    await operator.settle()
    assert operator.world.status["checkpoints"]["latestStep"] == 2
    assert operator.world.condition("CheckpointSaved")["status"] == "True"


async def test_a_checkpoint_does_not_vanish_when_the_next_attempt_has_not_looked_yet(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=1)
    world.train_reports(12, saved=12)
    await operator.settle()
    world.train_fails()
    await operator.settle()
    world.pods_leave()
    await operator.settle()
    world.edit(lambda spec: spec["workers"].update(nodeSelector={"a": "b"}))
    await operator.settle()
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_reports(0, attempt=2)
    world.seconds += 60
    await operator.settle()
    assert world.status["checkpoints"]["latestStep"] == 12


async def test_the_event_of_a_transition_carries_the_reason_of_ready(operator: Any) -> None:
    await live_until_training(operator, step=1)
    assert operator.world.events[-1].reason == operator.world.condition("Ready")["reason"] == "Training"
    operator.world.seconds += 60
    operator.world.train_reports(9)
    await operator.settle()
    assert operator.world.events[-1].reason == "Training"
    assert len(operator.world.events) == 4


async def test_an_unchanged_world_costs_no_call(operator: Any) -> None:
    await live_until_training(operator, step=1)
    written, looks, events = list(operator.world.log), operator.world.looks, len(operator.world.events)
    for _ in range(5):
        await operator.look()
    assert (operator.world.log, operator.world.looks, len(operator.world.events)) == (written, looks, events)


async def test_what_was_resolved_outlives_another_default_until_an_image_is_asked_for(operator: Any) -> None:
    world = await live_until_provisioning(operator)
    first = world.status["resolved"]["image"]
    assert world.status["resolved"]["preset"] == "pointwise-v1"
    operator.settings = operator.settings.model_copy(update={"default_image": "registry.example.com/new:2"})
    operator.restart()
    await operator.settle()
    assert world.status["resolved"]["image"] == first
    world.edit(lambda spec: spec.update(image="registry.example.com/mine:3"))
    await operator.settle()
    assert world.status["resolved"]["image"] == "registry.example.com/mine:3"
