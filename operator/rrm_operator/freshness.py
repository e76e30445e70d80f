"""Tells whether the watches still speak: what we wrote must come back as an event.

Versions are opaque: they are compared for equality and never ordered.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rrm_operator.facts import Key

ECHO_SECONDS: Final = 90.0
"""Longest wait for the event of an own write; a silent watch is begun anew some 20 s earlier."""


@dataclass
class Write:
    """A write that runs."""

    sent: str | None
    """Version it was decided on; None: any, so that nothing can be told from the answer."""
    is_seen: bool = False
    """An event of another version came meanwhile: that of the write, or of a later one."""
    version: str | None = None
    """Version after the write; None until it is answered, and for ever if it was refused."""

    def answered(self, version: str | None) -> None:
        """Note the version that the answer told."""
        self.version = version

    def awaits_event(self) -> bool:
        """Return whether an event must come: not after a write that changed nothing."""
        return None not in (self.sent, self.version) and self.version != self.sent and not self.is_seen


@dataclass
class Freshness:
    """Own writes that no event has told of."""

    clock: Callable[[], float] = time.monotonic
    _running: dict[Key, list[Write]] = field(default_factory=dict)
    _waiting: dict[Key, float] = field(default_factory=dict)

    @contextmanager
    def writing(self, key: Key, sent: str | None) -> Iterator[Write]:
        """Hold around a write; call `answered` with the version of a good answer.

        The event may come before the answer, so events are noted while it runs.
        """
        write = Write(sent)
        self._running.setdefault(key, []).append(write)
        try:
            yield write
        finally:
            self._running[key].remove(write)
            if not self._running[key]:
                del self._running[key]
        if write.awaits_event():
            self._waiting.setdefault(key, self.clock())

    def saw(self, key: Key, version: str | None) -> None:
        """Note an event of a training, whatever its kind; it ends the waiting, as it came after the write."""
        self._waiting.pop(key, None)
        for write in self._running.get(key, ()):
            write.is_seen = write.is_seen or version != write.sent

    def forget(self, key: Key) -> None:
        """Forget a training that is gone; no event comes of a write that still runs."""
        self._waiting.pop(key, None)
        for write in self._running.get(key, ()):
            write.is_seen = True

    def begin_anew(self) -> None:
        """Forget all: the watches are begun anew, and list all that exists."""
        for key in {*self._waiting, *self._running}:
            self.forget(key)

    def age(self) -> float:
        """Return for how many seconds the oldest write has been waiting for its event; 0 = none waits."""
        return max(0.0, self.clock() - min(self._waiting.values())) if self._waiting else 0.0

    def is_fresh(self) -> bool:
        """Return whether every own write of some time ago was seen to come back."""
        return self.age() < ECHO_SECONDS
