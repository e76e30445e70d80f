"""One of several works: the lease is taken, renewed, lost and released, and nobody works twice."""

import asyncio
from typing import Any

import pytest

from rrm_operator.lease import LeaseLost
from rrm_operator.lease_rules import Timing
from tests.unit.rrm_operator.lease_server import QUICK, LeaseServer, candidate


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def test_exactly_one_of_many_takes_the_lease_and_the_others_see_it() -> None:
    server = LeaseServer()
    all_ = [candidate(server, f"c{number}") for number in range(5)]
    taking = [asyncio.create_task(it.acquire()) for it in all_]
    await until(lambda: sum(it.is_waiting() for it in all_) == 4)
    (leader,) = [it for it in all_ if it.is_held()]
    assert not leader.is_waiting()
    assert [it.done() for it in taking].count(True) == 1
    for task in taking:
        task.cancel()


async def test_a_released_lease_is_taken_at_the_next_look() -> None:
    server = LeaseServer()
    first, second = candidate(server, "first"), candidate(server, "second")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await until(second.is_waiting)
    await first.release()
    assert not first.is_held()
    await asyncio.wait_for(waiting, 5)
    assert second.is_held()
    assert server.holders == ["first", "", "second"]


async def test_a_lease_whose_last_renewal_was_not_answered_is_released() -> None:
    server = LeaseServer()
    lease = candidate(server, "first")
    await lease.acquire()
    server.loses_answers = 1
    keeping = asyncio.create_task(lease.keep())
    await until(lambda: server.loses_answers == 0)
    keeping.cancel()
    await lease.release()
    assert server.holders == ["first", ""]


async def test_a_lease_that_was_taken_unawares_is_released() -> None:
    server = LeaseServer(loses_answers=1)
    lease = candidate(server, "first", Timing(60))
    taking = asyncio.create_task(lease.acquire())
    await until(lambda: server.holders == ["first"])
    taking.cancel()
    await lease.release()
    assert server.holders == ["first", ""]


async def test_who_only_stood_by_asks_nothing_at_its_end() -> None:
    server = LeaseServer(is_away=True)
    await candidate(server, "first").release()
    assert server.holders == []


async def test_a_holder_that_vanished_is_replaced_once_its_lease_ran_out() -> None:
    server = LeaseServer()
    first, second = candidate(server, "first"), candidate(server, "second")
    await first.acquire()
    await asyncio.wait_for(second.acquire(), 10)
    assert not first.is_held(), "it must have given up by then"
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(first.keep(), 10)
    assert server.holders == ["first", "second"]


async def test_a_holder_that_cannot_renew_loses_the_lease_in_time() -> None:
    server = LeaseServer()
    lease = candidate(server, "first")
    await lease.acquire()
    server.is_away = True
    began = asyncio.get_running_loop().time()
    with pytest.raises(LeaseLost, match="found no success"):
        await lease.keep()
    print(f"gave up after {asyncio.get_running_loop().time() - began:.2f} s of {QUICK.give_up_seconds:.2f}")
    assert not lease.is_held()


async def test_a_short_outage_a_lost_answer_and_a_person_s_edit_cost_nothing() -> None:
    server = LeaseServer()
    lease = candidate(server, "first")
    await lease.acquire()
    keeping = asyncio.create_task(lease.keep())
    server.is_away = True
    await asyncio.sleep(QUICK.renew_seconds * 1.5)
    server.is_away, server.loses_answers, writes = False, 1, server.writes
    await until(lambda: server.writes > writes + 2)
    assert server.lease is not None
    server.lease["metadata"]["resourceVersion"] = "edited"
    writes = server.writes
    await until(lambda: server.writes > writes + 1)
    server.lease = None  # Deleted: made again.
    await until(lambda: server.lease)
    assert not keeping.done()
    assert server.holders == ["first"]
    keeping.cancel()


async def test_a_lease_that_another_one_holds_is_lost_at_once() -> None:
    server = LeaseServer()
    lease = candidate(server, "first", Timing(5))
    await lease.acquire()
    assert server.lease is not None
    server.lease["spec"]["holderIdentity"] = "second"
    server.lease["metadata"]["resourceVersion"] = "taken"
    with pytest.raises(LeaseLost, match="found second"):
        await asyncio.wait_for(lease.keep(), 4)
    await lease.release()
    assert server.lease["spec"]["holderIdentity"] == "second"


async def test_losing_the_lease_ends_the_work_beside_it() -> None:
    server = LeaseServer()
    lease = candidate(server, "first")
    await lease.acquire()
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    server.is_away = True

    async def all_of_it() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(lease.keep())
            tasks.create_task(work())

    with pytest.raises(ExceptionGroup) as lost:
        await all_of_it()
    assert isinstance(lost.value.exceptions[0], LeaseLost)
    assert ended == ["work"]


async def test_an_api_server_that_is_away_at_the_start_is_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = LeaseServer(is_away=True)
    lease = candidate(server, "first")
    waiting = asyncio.create_task(lease.acquire())
    await asyncio.sleep(4 * QUICK.renew_seconds)
    assert not waiting.done()
    assert not lease.is_waiting(), "who sees nothing is not ready"
    assert len([it for it in caplog.records if it.levelname == "WARNING"]) == 1, "told once, not each second"
    server.is_away = False
    await asyncio.wait_for(waiting, 5)
