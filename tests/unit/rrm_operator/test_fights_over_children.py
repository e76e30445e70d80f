"""Who edits a child again and again is answered ever later: a fight for it costs little."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_operator.facts import Kind
from tests.unit.rrm_operator.edits_by_hand import ALL, opened, writes
from tests.unit.rrm_operator.lives import live_until_starting

RAY_SECONDS = 15.0
"""After so long Ray is asked, whatever else waits."""


async def test_every_edit_is_answered_though_never_at_once_a_second_time(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world
    for wait in (0.0, 10.0, 20.0, 40.0):
        writes(operator)
        world.edit_child(Kind.NETWORK_POLICY, opened)
        if wait:
            assert await operator.look() in (wait, RAY_SECONDS)
            assert writes(operator) == []
            world.seconds += wait
        await operator.look()
        assert writes(operator) == ["apply NetworkPolicy tiny-judge-network"]


async def test_one_object_that_is_fought_for_keeps_no_other_from_being_put_right(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world
    for _ in range(2):
        world.edit_child(Kind.NETWORK_POLICY, opened)
        await operator.look()
    writes(operator)
    world.edit_child(Kind.ROLE, lambda it: it["rules"].append(ALL))
    await operator.look()
    assert writes(operator) == ["apply Role tiny-judge-trainer"]


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param(lambda world: world.edit_child(Kind.NETWORK_POLICY, opened), id="edits"),
        pytest.param(
            lambda world: world.edit_child(Kind.NETWORK_POLICY, lambda it: it["metadata"].pop("annotations")),
            id="takes our annotations away",
        ),
        pytest.param(lambda world: world.remove(Kind.NETWORK_POLICY, "tiny-judge-network"), id="deletes"),
    ],
)
async def test_another_controller_that_never_gives_in_costs_six_writes_an_hour(
    operator: Any, monkeypatch: pytest.MonkeyPatch, acts: Callable[[Any], object]
) -> None:
    """A webhook that changes all that is written is one, too."""
    await live_until_starting(operator)
    world, apply = operator.world, operator.world.apply
    writes(operator)

    async def changed_at_once(manifest: Any) -> None:
        await apply(manifest)
        acts(world)

    monkeypatch.setattr(world, "apply", changed_at_once)
    acts(world)
    counts = []
    for _ in range(3):
        ends = world.seconds + 3600
        while world.seconds < ends:
            world.train_reports(1)
            delay = await operator.look()
            world.seconds += max(1.0, delay or 0.0)
        counts.append(sum(it.startswith("apply") for it in writes(operator)))
    assert counts[0] <= 13
    assert set(counts[1:]) <= {5, 6}


async def test_after_an_hour_of_peace_a_fight_is_forgotten(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world

    async def seconds_until_it_is_put_right() -> float:
        world.edit_child(Kind.NETWORK_POLICY, opened)
        began = world.seconds
        writes(operator)
        for _ in range(50):
            world.train_reports(1)
            delay = await operator.look()
            if "apply NetworkPolicy tiny-judge-network" in writes(operator):
                return float(world.seconds - began)
            world.seconds += delay
        raise AssertionError("it is never put right")

    fought = [await seconds_until_it_is_put_right() for _ in range(6)]
    assert fought == [0, 10, 20, 40, 80, 160]
    world.seconds += 3600
    later = [await seconds_until_it_is_put_right() for _ in range(3)]
    assert later == [0, 0, 10]


async def test_a_clock_that_was_set_back_holds_nothing_up_for_longer(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world
    world.edit_child(Kind.NETWORK_POLICY, opened)
    await operator.look()
    world.seconds -= 3600
    world.edit_child(Kind.NETWORK_POLICY, opened)
    assert await operator.look() == 10.0
    writes(operator)
    world.seconds += 10
    await operator.look()
    assert writes(operator) == ["apply NetworkPolicy tiny-judge-network"]


async def test_a_budget_that_we_have_deleted_ourselves_is_made_again_at_once(operator: Any) -> None:
    await live_until_starting(operator)
    world, made = operator.world, "apply PodDisruptionBudget tiny-judge-ray"
    for suspended in (True, False) * 3:
        writes(operator)
        world.edit(lambda spec, suspended=suspended: spec.update(suspend=suspended))
        await operator.settle()
        world.pods_leave()
        await operator.settle()
        assert (made in writes(operator)) is not suspended


async def test_an_apply_that_the_watch_has_not_told_of_is_not_repeated_at_once(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world
    world.edit_child(Kind.NETWORK_POLICY, opened)
    world.lags = True
    writes(operator)
    assert await operator.look() != 10.0
    assert await operator.look() == 10.0
    assert writes(operator) == ["apply NetworkPolicy tiny-judge-network"]
    world.catch_up()
    assert await operator.look() != 10.0
    assert writes(operator) == []
