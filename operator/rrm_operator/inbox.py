"""Hands the events of a watch from kopf's thread to the loop of the workers, a few at a time.

A start tells of everything there is at once. Fed in one go, ten thousand events kept the loop so busy that
the lease was not renewed, and the operator that had just taken over gave up.
"""

import asyncio
import threading
import time
from collections import deque
from typing import Final

from rrm_operator.facts import Manifest
from rrm_operator.handlers import Feed

SLICE_SECONDS: Final = 0.01
"""How long events are fed before everything else that is ready has its turn."""


class Inbox:
    """Events of one watch, in their order; those that are left when it stops are dropped."""

    def __init__(self, feed: Feed, stop: threading.Event) -> None:
        """Make an inbox.

        Args:
            feed: Takes an event, in the loop of the workers.
            stop: Set when the watch ends: what it told is told anew by the next one.
        """
        self._feed = feed
        self._stop = stop
        self._events: deque[tuple[str, Manifest, bool]] = deque()
        self._is_due = False

    def put(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        """Hand over an event, from any thread; `wake` must follow."""
        self._events.append((kind, manifest, deleted))

    def wake(self) -> None:
        """See to it that all that was handed over is fed; called in the loop of the workers."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        self._is_due = False
        until = time.monotonic() + SLICE_SECONDS
        try:
            while self._events and time.monotonic() < until:
                event = self._events.popleft()
                if not self._stop.is_set():
                    self._feed(*event)
        finally:
            # Also after an event that could not be fed: the others are not its fault.
            if self._events:
                self.wake()
