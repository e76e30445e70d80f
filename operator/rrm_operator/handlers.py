"""The two edges of the process: events come in and wake a training; a look at a training goes wrong.

The kopf side does one thing: hand every event on. The other side is the only place that decides what is tried
again and when, and one of the two that may catch everything.
"""

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import kopf

from rrm_operator import metrics
from rrm_operator.errors import (
    ClusterUnavailable,
    Conflict,
    Forbidden,
    OperatorError,
    RayUnavailable,
    Refused,
)
from rrm_operator.facts import Key, Manifest
from rrm_operator.rights import RESOURCES
from rrm_operator.work_queue import Backoff

_log = logging.getLogger(__name__)

Feed = Callable[[str, Manifest, bool], None]
"""Takes kind, manifest and whether it was deleted; called in kopf's thread."""
Reconcile = Callable[[Key], Awaitable[float | None]]

_BACKOFFS: Final[dict[type[OperatorError], Backoff]] = {
    # Somebody wrote at the same time: the event of that write usually comes first.
    Conflict: Backoff(0.2, 30),
    ClusterUnavailable: Backoff(1, 60),
    RayUnavailable: Backoff(2, 30),
    Forbidden: Backoff(5, 300),
    Refused: Backoff(5, 300),
}
_UNEXPECTED: Final = Backoff(2, 300)
_DONE: Final = "done"
_CRASHED: Final = "Unexpected"

# A counter that begins with its first event shows no increase for it: so all are told from the start.
for _outcome in (_DONE, _CRASHED, *(it.__name__ for it in _BACKOFFS)):
    metrics.RECONCILES.labels(_outcome)


def register(registry: kopf.OperatorRegistry, kind: str, feed: Feed) -> None:
    """Let kopf hand every event of a kind to `feed`."""
    resource = RESOURCES[kind]

    async def seen(event: Any, **_: Any) -> None:
        feed(kind, event["object"], event["type"] == "DELETED")

    kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=kind)(seen)


class Worker:
    """Looks at trainings for the work queue, and answers when a look fails."""

    def __init__(self, reconcile: Reconcile, chance: Callable[[], float] = random.random) -> None:
        self._reconcile = reconcile
        self._chance = chance
        self._failures: dict[Key, int] = {}

    async def look(self, key: Key) -> float | None:
        """Look at a training; return the seconds until the next look, None = only on events."""
        outcome = _DONE
        try:
            with metrics.RECONCILE_SECONDS.time():
                delay = await self._reconcile(key)
        except OperatorError as error:
            outcome, delay = type(error).__name__, self._answer(key, error)
        except Exception:  # noqa: BLE001 - an edge of the process: logged, counted, tried again
            outcome, delay = _CRASHED, self._grow(key, _UNEXPECTED)
            _log.exception("look failed", extra={"training": str(key), "retry_seconds": delay})
        else:
            self._failures.pop(key, None)
        metrics.RECONCILES.labels(outcome).inc()
        return delay

    def _answer(self, key: Key, error: OperatorError) -> float | None:
        if isinstance(error, Forbidden) and error.terminating:
            _log.info("namespace is being deleted", extra={"training": str(key)})
            self._failures.pop(key, None)
            return None
        delay = self._grow(key, _BACKOFFS.get(type(error), _UNEXPECTED))
        level = logging.DEBUG if isinstance(error, Conflict) else logging.WARNING
        details = {"training": str(key), "error": type(error).__name__, "retry_seconds": round(delay, 1)}
        _log.log(level, "%s", error, extra=details)
        return delay

    def _grow(self, key: Key, backoff: Backoff) -> float:
        self._failures[key] = self._failures.get(key, 0) + 1
        return backoff.delay(self._failures[key], self._chance())
