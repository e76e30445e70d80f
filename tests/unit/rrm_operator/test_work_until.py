"""The process as a whole: it stands by, works while it holds the lease, and ends in order."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

import rrm_operator.__main__ as main
from rrm_operator.freshness import Freshness
from tests.unit.rrm_operator.lease_server import LeaseServer, candidate


@dataclass
class Part:
    """A part of the operator that runs until it is told to end, and notes what it is told."""

    told: list[str] = field(default_factory=list)

    def prepare_to_lead(self) -> None:
        self.told.append("prepared")

    def lead(self) -> None:
        self.told.append("leads")

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def supervise(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.told.append("supervises no more")

    post_events = run

    async def drain(self, seconds: float) -> None:
        self.told.append("drained")

    async def events_posted(self, seconds: float) -> None:
        self.told.append("posted")

    async def stop(self, seconds: float | None = None) -> None:
        self.told.append("stopped")


async def worked(
    server: LeaseServer, stopped: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[str]]:
    """Work with a lease until the end; return the exit code and what the parts were told."""
    monkeypatch.setattr(main, "end_within", lambda seconds, code: None)
    part, lease = Part(), candidate(server, "first")
    made: Any = part
    supervisor: Any = SimpleNamespace(lead=part.lead, run=part.supervise)
    parts = main.Parts(
        queue=made,
        supervisor=supervisor,
        watching=made,
        cluster=made,
        freshness=Freshness(),
        watch_keys=part.run,
        prepare_to_lead=part.prepare_to_lead,
    )
    return await asyncio.wait_for(main.work_until(stopped, parts, lease), 10), part.told


async def test_a_signal_lets_the_last_looks_end_and_then_releases_the_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, stopped = LeaseServer(), asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stopped.set)
    code, told = await worked(server, stopped, monkeypatch)
    assert (code, told[:2]) == (0, ["prepared", "leads"])
    assert told[2] == "supervises no more", "it would begin to watch anew, and open the queue"
    assert told[3:6] == ["drained", "stopped", "posted"]
    assert server.holders == ["first", ""]


async def test_a_lost_lease_ends_all_without_last_looks_and_with_an_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = LeaseServer()
    asyncio.get_running_loop().call_later(0.05, lambda: setattr(server, "is_away", True))
    code, told = await worked(server, asyncio.Event(), monkeypatch)
    assert (code, told) == (main.LEASE_LOST, ["prepared", "leads", "supervises no more", "stopped"])


async def test_a_bug_ends_the_work_and_the_lease_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Part) -> None:
        await asyncio.sleep(0.05)
        raise ZeroDivisionError

    monkeypatch.setattr(Part, "post_events", broken)
    server = LeaseServer()
    with pytest.raises(ExceptionGroup):
        await worked(server, asyncio.Event(), monkeypatch)
    assert server.holders == ["first", ""]


async def test_a_signal_ends_who_stands_by_and_the_lease_stays_with_its_holder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, stopped = LeaseServer(), asyncio.Event()
    holder = candidate(server, "holder")
    await holder.acquire()
    keeping = asyncio.create_task(holder.keep())
    asyncio.get_running_loop().call_later(0.05, stopped.set)
    code, told = await worked(server, stopped, monkeypatch)
    keeping.cancel()
    assert (code, set(server.holders)) == (0, {"holder"})
    assert "leads" not in told
