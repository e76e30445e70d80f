"""SIGTERM to the parent, which is how Ray stops a job: the child ends, and the parent still says how.

Ray signals parent and child alike, and kills what is left after `RAY_JOB_STOP_WAIT_TIME_S` (the operator
sets 25); the operator waits 20 s for the record.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

from rrm.train.errors import TrainerCrashed

TERMINATION_SECONDS: Final = 8.0
"""What the child gets between SIGTERM and SIGKILL."""


class Termination:
    """While active, SIGTERM is remembered and ends the child of that moment, by force if it takes too long.

    Attributes:
        is_asked: SIGTERM came.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._child: subprocess.Popen[str] | None = None
        self._previous: object = None
        self._is_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._is_main:
            self._previous = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_main:
            signal.signal(signal.SIGTERM, self._previous)  # type: ignore[arg-type]

    def sleep(self, seconds: float) -> None:
        """Sleep while there is no child.

        Raises:
            TrainerCrashed: SIGTERM came: there shall be none.
        """
        time.sleep(seconds)
        if self.is_asked:
            raise TrainerCrashed("told to end (SIGTERM) before the trainer was started")

    @contextmanager
    def of(self, child: "subprocess.Popen[str]") -> Iterator[None]:
        """Make a child the one that SIGTERM ends; an error ends it too, so that nothing is left behind."""
        self._child = child
        if self.is_asked:
            self._end(child)
        try:
            yield
        except BaseException:
            kill_group(child.pid, signal.SIGTERM)
            raise
        finally:
            self._child = None

    def _ask(self, *_: object) -> None:
        self.is_asked = True
        if self._child is not None:
            self._end(self._child)

    def _end(self, child: "subprocess.Popen[str]") -> None:
        kill_group(child.pid, signal.SIGTERM)
        timer = threading.Timer(TERMINATION_SECONDS, kill_group, (child.pid, signal.SIGKILL))
        timer.daemon = True
        timer.start()


def kill_group(group: int, number: signal.Signals) -> None:
    """Signal the processes of a group, if there are any left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
