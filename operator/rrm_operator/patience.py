"""Asks the API server until it answers, for what must be known before anything else can be done.

One question at a time: of many asked together, one would always fail while the API server is overloaded.
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from rrm_operator.errors import Conflict, Forbidden, OperatorError
from rrm_operator.work_queue import Backoff

_log = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE: Final = Backoff(0.5, 15)


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Return the answer, asking until the API server gives one.

    Raises:
        Forbidden: At once: asking again gives no rights.
        Conflict: At once: asking again does not bring back a kind that vanished.
    """
    for failures in itertools.count(1):
        try:
            return await ask()
        except (Forbidden, Conflict):
            raise
        except OperatorError as error:
            delay = _PATIENCE.delay(failures, random.random())
            _log.warning("%s", error, extra={"retry_seconds": round(delay, 1)})
            await asyncio.sleep(delay)
    raise AssertionError("unreachable: the count has no end")
