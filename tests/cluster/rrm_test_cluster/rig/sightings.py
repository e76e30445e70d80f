"""When something was first seen of each of many objects, by one watch."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rrm_test_cluster.kube_api import KubeApi

Manifest = dict[str, Any]
_POLL_SECONDS = 0.05


class NotSeen(Exception):
    """Not all came in time; says how many did."""


@dataclass
class Sightings:
    """Seconds of the monotonic clock, by name of the object.

    Attributes:
        seen: When it was first true of each.
        gone: When each was first seen to be deleted, or on its way.
        task: What watches.
    """

    holds: Callable[[Manifest], bool]
    seen: dict[str, float] = field(default_factory=dict)
    gone: dict[str, float] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None

    async def follow(self, api: KubeApi, path: str, *, names_only: bool = False) -> None:
        """Watch for ever."""
        async for change in api.follow(path, names_only=names_only):
            metadata, now = change.body["metadata"], time.monotonic()
            if change.kind == "DELETED" or "deletionTimestamp" in metadata:
                self.gone.setdefault(metadata["name"], now)
            elif self.holds(change.body):
                self.seen.setdefault(metadata["name"], now)

    async def count(self, number: int, *, seconds: float) -> float:
        """Wait for that many; return when the last of them came.

        Raises:
            NotSeen: The time is over.
        """
        deadline = time.monotonic() + seconds
        while len(self.seen) < number:
            self._check()
            if time.monotonic() > deadline:
                raise NotSeen(f"{len(self.seen)} of {number} after {seconds:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)
        return sorted(self.seen.values())[number - 1]

    async def all_gone(self, names: Collection[str], *, seconds: float) -> None:
        """Wait until those are gone.

        Raises:
            NotSeen: The time is over.
        """
        deadline = time.monotonic() + seconds
        while missing := set(names) - self.gone.keys():
            self._check()
            if time.monotonic() > deadline:
                raise NotSeen(f"{len(missing)} of {len(names)} are still there after {seconds:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)

    def _check(self) -> None:
        if self.task is not None and self.task.done():
            self.task.result()


@asynccontextmanager
async def watching(
    api: KubeApi, path: str, holds: Callable[[Manifest], bool], *, names_only: bool = False
) -> AsyncIterator[Sightings]:
    """Watch a collection until the block ends."""
    sightings = Sightings(holds)
    sightings.task = asyncio.create_task(sightings.follow(api, path, names_only=names_only))
    try:
        yield sightings
    finally:
        sightings.task.cancel()
