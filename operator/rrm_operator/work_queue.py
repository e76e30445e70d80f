"""The one queue of work: which key is looked at next, and when. Fed by events and by the results of looks.

A key is in it at most once, at the earliest time anyone asked for; it is never handed out twice at the same
time; what is asked for while it is worked on comes after. `Schedule` is the pure part.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MAX_DOUBLINGS: Final = 32


class Schedule(Generic[K]):
    """Keys and the times they are due, without a clock of its own."""

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._running: set[K] = set()
        self._pushes = 0

    def __len__(self) -> int:
        return len(self._due)

    def add(self, key: K, at: float) -> None:
        """Ask for a key at a time; an earlier wish stands."""
        if at >= self._due.get(key, float("inf")):
            return
        self._due[key] = at
        if key not in self._running:
            self._push(key, at)

    @property
    def running(self) -> frozenset[K]:
        """Keys that are handed out."""
        return frozenset(self._running)

    def take(self, now: float) -> K | None:
        """Hand out the key that is longest due, if any is; it answers all wishes made so far."""
        self._discard_stale()
        if not self._heap or self._heap[0][0] > now:
            return None
        _, _, key = heapq.heappop(self._heap)
        del self._due[key]
        self._running.add(key)
        return key

    def done(self, key: K) -> None:
        """Take back a key that was handed out."""
        self._running.remove(key)
        if key in self._due:
            self._push(key, self._due[key])

    def next_at(self) -> float | None:
        """Return when a key will be due, None if that depends on others."""
        self._discard_stale()
        return self._heap[0][0] if self._heap else None

    def _push(self, key: K, at: float) -> None:
        self._pushes += 1
        heapq.heappush(self._heap, (at, self._pushes, key))

    def _discard_stale(self) -> None:
        while self._heap:
            at, _, key = self._heap[0]
            if key not in self._running and self._due.get(key) == at:
                return
            heapq.heappop(self._heap)


@dataclass(frozen=True)
class Backoff:
    """How long to wait after the n-th failure in a row: doubling, with jitter so that keys spread out."""

    first_seconds: float
    longest_seconds: float

    def delay(self, failures: int, chance: float) -> float:
        """Return the seconds to wait, between half and all of the doubled delay.

        Args:
            failures: Failures in a row, at least 1.
            chance: Random number in [0, 1].

        >>> Backoff(1, 60).delay(1, 1.0), Backoff(1, 60).delay(3, 0.0), Backoff(1, 60).delay(99, 1.0)
        (1.0, 2.0, 60.0)
        """
        doubled = self.first_seconds * 2.0 ** min(failures - 1, MAX_DOUBLINGS)
        return float(min(doubled, self.longest_seconds) * (0.5 + chance / 2))


class WorkQueue(Generic[K]):
    """Hands keys to `work`, at most `workers` at the same time, when they are due on the loop's clock."""

    def __init__(
        self,
        work: Callable[[K], Awaitable[float | None]],
        *,
        workers: int,
        waited: Callable[[float], object] = lambda _: None,
    ) -> None:
        """Make a queue.

        Args:
            work: Looks at a key; returns the seconds until the next look, None = only when asked. It handles
                its own errors: one that escapes ends `run`.
            workers: Most keys worked on at the same time.
            waited: Told how many seconds later than asked for a key is handed out.
        """
        self._work = work
        self._waited = waited
        self._slots = asyncio.Semaphore(workers)
        self._schedule: Schedule[K] = Schedule()
        self._changed = asyncio.Event()
        self._open = asyncio.Event()
        self._was_opened = False

    def __len__(self) -> int:
        return len(self._schedule)

    def open(self) -> None:
        """Start handing out keys; who opens it for the first time asks for all there are, then."""
        self._was_opened = True
        self._open.set()

    def close(self) -> None:
        """Hand out no more keys, only collect them; those being worked on are finished."""
        self._open.clear()

    async def drain(self, seconds: float) -> None:
        """Hand out no more keys and wait for those being worked on, so long at most."""
        self.close()
        deadline = asyncio.get_running_loop().time() + seconds
        while self._schedule.running:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return

    def add(self, key: K, delay: float = 0.0) -> None:
        """Ask for a key to be looked at, `delay` seconds from now at the latest.

        Nothing is collected before the first opening: who stands by for months sees many keys come and go.
        """
        if self._was_opened:
            self._schedule.add(key, asyncio.get_running_loop().time() + delay)
            self._changed.set()

    async def run(self) -> None:
        """Work for ever; when cancelled, what is being worked on is cancelled too."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._slots.acquire()
                tasks.create_task(self._look(await self._take()))

    async def _take(self) -> K:
        now = asyncio.get_running_loop().time
        while True:
            await self._open.wait()
            due = self._schedule.next_at()
            if (key := self._schedule.take(now())) is not None:
                self._waited(max(0.0, now() - (due or 0.0)))
                return key
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._schedule.next_at()):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _look(self, key: K) -> None:
        try:
            delay = await self._work(key)
        finally:
            self._schedule.done(key)
            self._changed.set()
            self._slots.release()
        if delay is not None:
            self.add(key, delay)
