"""Lines with the time since the start: what a person reads while it works, and what a log keeps."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Teller:
    """Writes one line per step, each with the minutes and seconds since the teller was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        """Write a line."""
        sys.stdout.write(f"[{clock(self.seconds)}] {text}\n")
        sys.stdout.flush()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what begins, and how long it took once it is done."""
        self(f"{what} ...")
        start = time.monotonic()
        yield
        self(f"{what}: {time.monotonic() - start:.0f} s")


def clock(seconds: float) -> str:
    """Return a duration as people read it.

    >>> clock(65), clock(3700)
    ('01:05', '61:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"
