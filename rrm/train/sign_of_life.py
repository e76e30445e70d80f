"""What the parent leaves on the volume for others: a file it touches while it runs, and a mark at its end.

Who is about to take a pod away (`rrm.train.farewell`) reads both, when there may be no API server to ask.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rrm.train.attempt import Attempt
from rrm.train.farewell import BEAT_SECONDS
from rrm.train.progress import now

LOG = logging.getLogger(__name__)


@contextmanager
def sign_of_life(attempt: Attempt) -> Iterator[None]:
    """Keep `alive` fresh while active, and leave the finished mark at the end, however that comes.

    From a thread of its own: the parent itself may be waiting for an API server that does not answer.
    """
    try:
        attempt.folder.mkdir(parents=True, exist_ok=True)
        attempt.finished_mark.unlink(missing_ok=True)  # of an earlier start of the same attempt
        attempt.alive.touch()
    except OSError as error:
        LOG.warning("attempt %s gives no sign of life: %s", attempt.number, error)
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(attempt, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(BEAT_SECONDS)
        _say_finished(attempt)


def _beat(attempt: Attempt, over: threading.Event) -> None:
    """Touch the file until it is over; no byte is written, so a full volume makes nobody look dead.

    It is not made again: if it is gone, the folder belongs to another training of this name.
    """
    has_warned = False
    while not over.wait(BEAT_SECONDS):
        try:
            os.utime(attempt.alive)
            has_warned = False
        except OSError as error:
            if not has_warned:
                LOG.warning("attempt %s gives no sign of life: %s", attempt.number, error)
            has_warned = True


def _say_finished(attempt: Attempt) -> None:
    try:
        if attempt.alive.exists():
            attempt.finished_mark.write_text(f"{now()}\n")
    except OSError as error:
        LOG.warning("attempt %s could not leave its finished mark: %s", attempt.number, error)
