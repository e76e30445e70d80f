"""A trainer that is asked to leave by a drain: it has time to save, and that costs no restart."""

from typing import Any

import pytest

from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.assess.moments import written
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import begins, ends, live_until_provisioning


async def test_a_trainer_that_left_unasked_was_drained_and_that_is_no_restart(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=7, saved=7)
    left = {"result": Result.STOPPED, "reason": Reason.CHECKPOINT_SAVED, "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, message="stopped after step 7", **left))
    assert await ends(operator) == "Provisioning"
    attempt = world.status["attempts"][0]
    assert (attempt["reason"], attempt["savedStep"]) == ("Drained", 7)
    await begins(operator, 2, step=8)
    assert world.status["attempts"][1]["restarts"] == 0


def evict(world: Any, pod: str, *, grace: float) -> None:
    """Ask a pod to leave as a drain does; the API server writes why, and until when."""
    why = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    world.change_pod(pod, conditions=[why])
    world.delete_pod(pod)
    end = {"deletionTimestamp": written(world.seconds + grace)}
    world._change(Kind.POD, pod, lambda it: it["metadata"].update(end))


async def test_a_drained_head_has_time_to_save_and_that_is_no_restart(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=7)
    evict(world, "tiny-judge-c1-head", grace=630)
    assert await operator.settle() == "Training"
    world.seconds += 60
    assert await operator.settle() == "Training"
    left = {"result": Result.STOPPED, "reason": Reason.CHECKPOINT_SAVED, "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, message="stopped after step 8", **left))
    assert await ends(operator) == "Provisioning"
    assert world.status["attempts"][0]["reason"] == "Drained"


async def test_a_drained_head_that_is_silent_while_it_saves_is_not_lost(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=7)
    evict(world, "tiny-judge-c1-head", grace=630)
    world.set_cluster(head=False, workers=1)
    world.ray_answers = False
    for _ in range(41):
        world.seconds += 15
        assert await operator.settle() == "Training"


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_drained_head_that_did_not_save_in_its_time_is_lost(operator: Any, *, is_gone: bool) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    await begins(operator, 1, step=7)
    evict(world, "tiny-judge-c1-head", grace=630)
    assert await operator.settle() == "Training"
    if is_gone:
        world.remove(Kind.POD, "tiny-judge-c1-head")
        world.set_cluster(head=False, workers=1)
    else:
        world.seconds += 630
    assert await operator.settle() == "Releasing"
    assert world.status["attempts"][0]["reason"] == "ClusterLost"


async def test_a_head_that_is_drained_before_the_first_step_has_nothing_to_save_and_costs_no_restart(
    unforgiving: Any,
) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    evict(world, "tiny-judge-c1-head", grace=630)
    assert await ends(operator) == "Provisioning"
    assert world.status["attempts"][0]["reason"] == "Drained"


async def test_a_head_that_is_drained_before_its_attempt_is_submitted_costs_no_restart(
    unforgiving: Any,
) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    evict(world, "tiny-judge-c1-head", grace=630)
    assert await ends(operator) == "Provisioning"
    assert world.status["attempts"][0]["reason"] == "Drained"


async def test_a_drained_head_that_is_not_to_save_gives_its_gpus_back_at_once(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    world.edit(lambda spec: spec["checkpoints"].update(saveGraceSeconds=0))
    await live_until_provisioning(operator)
    await begins(operator, 1, step=7)
    evict(world, "tiny-judge-c1-head", grace=30)
    assert await operator.settle() == "Releasing"
    assert world.status["attempts"][0]["reason"] == "Drained"
