"""Clocks that do not agree: a trainer lives as long as it is seen to report, whatever its clock says."""

import contextlib
from typing import Any

import pytest

from rrm_operator.assess.moments import written
from rrm_operator.errors import RayUnavailable
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_starting

STALL_SECONDS = 600
HOURS = 3 * 3600.0
CLOCK_ERRORS = pytest.mark.parametrize("clock_error", [-HOURS, HOURS], ids=["behind", "ahead"])


async def training(operator: Any, *, clock_error: float) -> None:
    operator.world.edit(lambda spec: spec.update(policy={"stallDeadlineSeconds": STALL_SECONDS}))
    world = await live_until_starting(operator)
    world.train_reports(7, clock_error=clock_error)
    assert await operator.settle() == "Training"


@CLOCK_ERRORS
async def test_a_trainer_that_reports_goes_on_whatever_its_clock_says(
    operator: Any, clock_error: float
) -> None:
    await training(operator, clock_error=clock_error)
    for step in range(8, 20):
        operator.world.seconds += STALL_SECONDS - 1
        assert await operator.settle() == "Training"
        operator.world.train_reports(step, clock_error=clock_error)
        assert await operator.settle() == "Training"


@CLOCK_ERRORS
async def test_a_trainer_that_hangs_is_stopped_in_time_whatever_its_clock_says(
    operator: Any, clock_error: float
) -> None:
    await training(operator, clock_error=clock_error)
    operator.world.seconds += STALL_SECONDS - 1
    assert await operator.settle() == "Training"
    operator.world.seconds += 1
    assert await operator.settle() == "Stopping"
    assert operator.world.status["attempts"][0]["stopReason"] == "NoProgress"


@CLOCK_ERRORS
async def test_an_operator_that_restarts_every_minute_finds_a_hang_in_time(
    operator: Any, clock_error: float
) -> None:
    await training(operator, clock_error=clock_error)
    for _ in range(9):
        operator.world.seconds += 60
        operator.restart()
        assert await operator.settle() == "Training"
    operator.world.seconds += 60
    operator.restart()
    assert await operator.settle() == "Stopping"


@CLOCK_ERRORS
async def test_an_operator_that_restarts_every_minute_ends_no_trainer_that_reports(
    operator: Any, clock_error: float
) -> None:
    await training(operator, clock_error=clock_error)
    for minute in range(60):
        operator.world.seconds += 60
        operator.restart()
        if minute % 9 == 0:
            operator.world.train_reports(8 + minute // 9, clock_error=clock_error)
        assert await operator.settle() == "Training"


async def test_a_report_that_came_while_the_operator_was_away_counts_from_when_it_is_seen(
    operator: Any,
) -> None:
    await training(operator, clock_error=0)
    operator.world.seconds += 10
    operator.world.train_reports(8)
    operator.world.seconds += 2 * STALL_SECONDS
    operator.restart()
    assert await operator.settle() == "Training", "who was away cannot tell a hang from a clock that is wrong"
    operator.world.seconds += STALL_SECONDS
    assert await operator.settle() == "Stopping", "one deadline later it can"


async def test_a_trainer_that_was_silent_all_the_time_the_operator_was_away_hangs(operator: Any) -> None:
    await training(operator, clock_error=0)
    operator.world.seconds += 2 * STALL_SECONDS
    operator.restart()
    assert await operator.settle() == "Stopping"


async def test_a_clock_of_the_operator_that_was_set_back_delays_the_end_of_a_hang_by_one_deadline_at_most(
    operator: Any,
) -> None:
    await training(operator, clock_error=0)
    operator.world.seconds -= HOURS
    assert await operator.settle() == "Training"
    operator.world.seconds += STALL_SECONDS
    assert await operator.settle() == "Stopping"


async def test_status_tells_both_what_the_trainer_says_and_when_the_operator_saw_it(operator: Any) -> None:
    await training(operator, clock_error=HOURS)
    progress = operator.world.status["progress"]
    assert progress["lastProgressTime"] == "2023-11-15T01:13:20Z"
    assert progress["lastSeenTime"] == "2023-11-14T22:13:20Z"


async def test_progress_of_a_trainer_whose_clock_is_ahead_is_written_after_a_restart_too(
    operator: Any,
) -> None:
    await training(operator, clock_error=HOURS)
    operator.restart()
    operator.world.seconds += 60
    operator.world.train_reports(8, clock_error=HOURS)
    await operator.settle()
    assert operator.world.status["progress"]["step"] == 8


async def test_a_head_whose_node_is_ahead_has_not_restarted_before_its_job_arrives(operator: Any) -> None:
    world = await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    running = {"running": {"startedAt": written(world.seconds + HOURS)}}
    world.change_pod("tiny-judge-c1-head", containerStatuses=[{"name": "main", "state": running}])
    world.ray_answers = False
    with contextlib.suppress(RayUnavailable):
        await operator.settle()
    world.ray_answers = True
    await operator.settle()
    assert world.status["stage"] == "Starting"
    assert world.log.count("submit 0a1b2c3d-a1") == 1
