import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rrm_operator.work_queue import Backoff, Schedule, WorkQueue

KEYS = st.sampled_from("abc")
TIMES = st.integers(min_value=0, max_value=20).map(float)


class _Turned(selectors.DefaultSelector):
    """Never waits: what would have been waited for is added to the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everything waits for something that will never come")
        self.now += timeout
        return super().select(0)


def run_in_simulated_time(main: Coroutine[Any, Any, None]) -> None:
    selector = _Turned()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


class Looks:
    """Work that takes `seconds` and notes who was worked on from when to when."""

    def __init__(self, seconds: float = 0.0, *, again: dict[str, float] | None = None) -> None:
        self.seconds = seconds
        self.again = again or {}
        self.started: list[tuple[str, float]] = []
        self.active: list[str] = []
        self.most_active = 0

    async def __call__(self, key: str) -> float | None:
        assert key not in self.active, f"{key} is worked on twice at the same time"
        self.active.append(key)
        self.most_active = max(self.most_active, len(self.active))
        self.started.append((key, asyncio.get_running_loop().time()))
        await asyncio.sleep(self.seconds)
        self.active.remove(key)
        return self.again.pop(key, None)


async def running(queue: WorkQueue[str], for_seconds: float) -> None:
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(for_seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def simulate(looks: Looks, **wishes: float) -> None:
    async def main() -> None:
        queue = WorkQueue(looks, workers=2)
        queue.open()
        for key, delay in wishes.items():
            queue.add(key, delay)
        await running(queue, 1000)

    run_in_simulated_time(main())


def test_a_key_is_looked_at_when_it_is_due() -> None:
    looks = Looks()
    simulate(looks, a=3.0, b=1.0)
    assert looks.started == [("b", 1.0), ("a", 3.0)]


def test_the_earliest_wish_for_a_key_stands_and_is_answered_once() -> None:
    looks = Looks()

    async def main() -> None:
        queue = WorkQueue(looks, workers=2)
        queue.open()
        for delay in (9.0, 2.0, 5.0):
            queue.add("a", delay)
        await running(queue, 100)

    run_in_simulated_time(main())
    assert looks.started == [("a", 2.0)]


def test_what_is_asked_for_while_a_key_is_worked_on_comes_after() -> None:
    looks = Looks(seconds=10)

    async def main() -> None:
        queue = WorkQueue(looks, workers=2)
        queue.open()
        queue.add("a")
        task = asyncio.create_task(running(queue, 100))
        await asyncio.sleep(4)
        queue.add("a")
        queue.add("a", 1.0)
        await task

    run_in_simulated_time(main())
    assert looks.started == [("a", 0.0), ("a", 10.0)]


def test_a_look_that_names_its_next_time_comes_again_then() -> None:
    looks = Looks(seconds=1, again={"a": 30.0})
    simulate(looks, a=0.0)
    assert looks.started == [("a", 0.0), ("a", 31.0)]


def test_no_more_keys_than_workers_are_worked_on_at_a_time() -> None:
    looks = Looks(seconds=1)
    simulate(looks, a=0, b=0, c=0, d=0, e=0)
    assert looks.most_active == 2
    assert sorted(key for key, _ in looks.started) == list("abcde")


def test_before_it_is_opened_first_a_queue_collects_nothing() -> None:
    looks = Looks()

    async def main() -> None:
        queue = WorkQueue(looks, workers=2)
        for number in range(1000):
            queue.add(str(number))
        assert len(queue) == 0
        queue.open()
        queue.add("a")
        await running(queue, 100)

    run_in_simulated_time(main())
    assert looks.started == [("a", 0.0)]


def test_a_closed_queue_collects_and_hands_out_once_it_is_opened() -> None:
    looks = Looks()

    async def main() -> None:
        queue = WorkQueue(looks, workers=2)
        queue.open()
        queue.close()
        queue.add("a")
        task = asyncio.create_task(running(queue, 100))
        await asyncio.sleep(50)
        assert looks.started == []
        queue.open()
        await task

    run_in_simulated_time(main())
    assert looks.started == [("a", 50.0)]


def test_draining_waits_for_the_looks_in_progress_and_starts_no_new_one() -> None:
    looks = Looks(seconds=3)

    async def main() -> None:
        queue = WorkQueue(looks, workers=1)
        queue.open()
        queue.add("a")
        queue.add("b")
        task = asyncio.create_task(running(queue, 100))
        await asyncio.sleep(1)
        await queue.drain(60)
        assert asyncio.get_running_loop().time() == 3.0
        assert looks.active == []
        await task

    run_in_simulated_time(main())
    assert looks.started == [("a", 0.0)]


def test_draining_gives_up_after_its_time() -> None:
    looks = Looks(seconds=90)

    async def main() -> None:
        queue = WorkQueue(looks, workers=1)
        queue.open()
        queue.add("a")
        task = asyncio.create_task(running(queue, 100))
        await asyncio.sleep(1)
        await queue.drain(5)
        assert asyncio.get_running_loop().time() == 6.0
        await task

    run_in_simulated_time(main())


@given(
    failures=st.integers(1, 10_000),
    chance=st.floats(0, 1),
    first=st.floats(0.01, 10),
    longest=st.floats(10, 600),
)
def test_a_delay_grows_within_its_bounds_whatever_the_jitter(
    failures: int, chance: float, first: float, longest: float
) -> None:
    backoff = Backoff(first, longest)
    delay = backoff.delay(failures, chance)
    assert first / 2 <= delay <= longest
    assert backoff.delay(failures + 1, chance) >= delay


class AnySequence(RuleBasedStateMachine):
    """Compares the schedule with a plain set of wishes, in any order of calls."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule: Schedule[str] = Schedule()
        self.wishes: dict[str, float] = {}
        self.running: set[str] = set()

    @rule(key=KEYS, at=TIMES)
    def add(self, key: str, at: float) -> None:
        self.schedule.add(key, at)
        self.wishes[key] = min(at, self.wishes.get(key, at))

    @rule(now=TIMES)
    def take(self, now: float) -> None:
        due = {key: at for key, at in self.wishes.items() if at <= now and key not in self.running}
        key = self.schedule.take(now)
        assert (key is None) == (not due)
        if key is not None:
            assert due[key] == min(due.values())
            del self.wishes[key]
            self.running.add(key)

    @rule(key=KEYS)
    def done(self, key: str) -> None:
        if key in self.running:
            self.schedule.done(key)
            self.running.remove(key)

    @invariant()
    def knows_when_the_next_is_due(self) -> None:
        waiting = [at for key, at in self.wishes.items() if key not in self.running]
        assert self.schedule.next_at() == (min(waiting) if waiting else None)
        assert len(self.schedule) == len(self.wishes)
        assert self.schedule.running == self.running


TestAnySequence = AnySequence.TestCase
