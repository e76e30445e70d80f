"""What happens with an event of a watch: it is counted, stored, and wakes its training."""

import logging
from dataclasses import dataclass
from typing import Final

from rrm_api import group
from rrm_operator import metrics
from rrm_operator.facts import Key, Manifest
from rrm_operator.freshness import Freshness
from rrm_operator.logs import Masks
from rrm_operator.manifests import metadata_of
from rrm_operator.store import Store
from rrm_operator.telemetry import Telemetry
from rrm_operator.work_queue import WorkQueue

_log = logging.getLogger(__name__)

_ODD: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading an object raises that is not as its kind should be."""
_GATHER_SECONDS: Final = 1.0
"""Events come in bursts, most of them of own writes: one look answers them all, and does not write again what
its store merely does not show yet. What people and the trainer say is looked at at once."""


@dataclass(frozen=True)
class Watchers:
    """What follows the events of trainings and decides nothing."""

    freshness: Freshness
    telemetry: Telemetry
    masks: Masks


@dataclass(frozen=True)
class Feeding:
    """Takes the events of all watches, in the loop of the workers."""

    store: Store
    queue: WorkQueue[Key]
    watchers: Watchers

    def feed(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        """Take in one event; one that cannot be taken in is told of, and concerns its object alone."""
        metrics.EVENTS.labels(kind).inc()
        try:
            self._take_in(kind, manifest, deleted=deleted)
        except _ODD:
            metadata = metadata_of(manifest)
            name = f"{metadata.get('namespace')}/{metadata.get('name')}"
            _log.exception("an event was not taken in", extra={"kind": kind, "object": name})
            if not deleted and metadata.get("namespace") and metadata.get("name"):
                # Known to exist, or the store would never be level, and nobody's training looked at.
                self.store.acknowledge(kind, manifest)

    def forget(self, key: Key) -> None:
        """Forget a training that is gone."""
        self.watchers.freshness.forget(key)
        self.watchers.telemetry.forget(key)
        self.watchers.masks.forget(key)

    def _take_in(self, kind: str, manifest: Manifest, *, deleted: bool) -> None:
        is_urgent = deleted or self.store.is_word(kind, manifest)
        before = self.store.owner(kind, manifest)
        keys = {self.store.feed(kind, manifest, deleted=deleted)}
        if before != self.store.owner(kind, manifest):
            keys.add(before)
        for key in keys:
            if key is not None:
                self.queue.add(key, 0.0 if is_urgent else _GATHER_SECONDS)
        if kind == group.KIND:
            self._follow(manifest, deleted=deleted)

    def _follow(self, manifest: Manifest, *, deleted: bool) -> None:
        metadata = manifest["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        if deleted:
            self.forget(key)
            return
        self.watchers.masks.keep(key, manifest)
        self.watchers.freshness.saw(key, metadata.get("resourceVersion"))
        self.watchers.telemetry.saw(key, manifest.get("status") or {})
