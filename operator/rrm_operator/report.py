"""Says what was found: one status patch where it differs, an event where `Ready` changes its reason.

Written before the plan is applied: an attempt is counted before it is submitted, and how it ended is
recorded before its RayCluster is deleted. So a status that the API server refuses must not be the end: it is
told without the words of others, which alone can be what no rule of ours foresaw.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from rrm_api.conditions import ConditionType, Stage
from rrm_api.status import TrainingStatus
from rrm_operator.assess import Assessment
from rrm_operator.assess.moments import seconds_of
from rrm_operator.errors import Refused
from rrm_operator.essentials import essentials
from rrm_operator.facts import Key, Manifest
from rrm_operator.ports import Clock, Cluster, Event

_log = logging.getLogger(__name__)

MINOR_SECONDS: Final = 30.0
"""Differences that are only progress are written at most this often, and as often one that was refused."""

_MINOR_FIELDS: Final = frozenset({"progress", "checkpoints", "base", "gpuSeconds"})
_MINOR_MESSAGES: Final = frozenset({ConditionType.CLUSTER_READY, ConditionType.CHECKPOINT_SAVED})
_MAX_EVENT_MESSAGE: Final = 1024


Tell = Callable[[Key, Manifest, Manifest], None]
"""Takes a training, its status before and its status now."""


@dataclass
class Reporter:
    """Remembers when it wrote last, which may be lost at any time."""

    cluster: Cluster
    clock: Clock
    tell: Tell
    """Told of every status that was written."""
    _written_at: dict[Key, float] = field(default_factory=dict)
    _refused_at: dict[Key, float] = field(default_factory=dict)

    async def report(self, key: Key, manifest: Manifest, assessment: Assessment) -> float | None:
        """Write the status; return after how many seconds a difference that was held back is due.

        The version is sent along: whoever decides upon a status that is no longer the newest gets a
        `Conflict`, and looks again, instead of counting an attempt or telling an event twice.

        Raises:
            Refused: Not even what is decided upon can be written: then nothing may be done.
        """
        now, old = self.clock.now(), manifest.get("status") or {}
        new = assessment.status.manifest()
        if not difference(old, new):
            return None
        old = _readable(old)
        due = self._last_written(key, old) + MINOR_SECONDS - now
        if due > 0 and weighty(old) == weighty(new):
            return due
        written = await self._written(key, manifest, new)
        if written is not None:
            self._written_at[key] = now
            self.tell(key, old, written)
            event = transition(old, assessment)
            if event is not None:
                await self.cluster.emit(manifest, event)
        return self._refused_for(key)

    async def _written(self, key: Key, manifest: Manifest, new: Manifest) -> Manifest | None:
        """Write a status, the whole if that is accepted; return what was written, None if it stood there."""
        old, version = manifest.get("status") or {}, manifest["metadata"].get("resourceVersion")
        if self._refused_for(key) is None:
            try:
                await self.cluster.patch_status(key, difference(old, new), resource_version=version)
            except Refused as error:
                _log.error("status told without the words of others: %s", error, extra={"training": str(key)})
                self._refused_at[key] = self.clock.now()
            else:
                return new
        told = essentials(_readable(old), new)
        patch = difference(old, told)
        if not patch:
            return None
        await self.cluster.patch_status(key, patch, resource_version=version)
        return told

    def _refused_for(self, key: Key) -> float | None:
        """Return for how many seconds more the whole status counts as refused; None = it may be tried."""
        due = self._refused_at.get(key, -MINOR_SECONDS) + MINOR_SECONDS - self.clock.now()
        # A moment that is still to come was told by a clock that was wrong.
        return due if 0 < due <= MINOR_SECONDS else None

    def forget(self, key: Key) -> None:
        """Forget a training that is gone."""
        self._written_at.pop(key, None)
        self._refused_at.pop(key, None)

    def _last_written(self, key: Key, old: Manifest) -> float:
        """Return when progress was written last; after a restart, status itself tells."""
        told = seconds_of((old.get("progress") or {}).get("lastSeenTime"))
        now = self.clock.now()
        # What is still to come was told by a clock that was wrong, and holds nothing back.
        return max(
            (it for it in (self._written_at.get(key), told) if it is not None and it <= now), default=0.0
        )


def _readable(status: Manifest) -> Manifest:
    """Return a status that we wrote; one of another version tells nothing."""
    try:
        TrainingStatus.model_validate(status)
    except ValidationError:
        return {}
    return status


def difference(old: Manifest, new: Manifest) -> Manifest:
    """Return the merge patch from one document to another: lists as a whole, null for what goes.

    >>> difference({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 1, "d": 3}})
    {'a': None, 'b': {'d': 3}}
    """
    patch: Manifest = {key: None for key in old if key not in new}
    for key, value in new.items():
        before: Any = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := difference(before, value):
                patch[key] = inner
        elif key not in old or value != before:
            patch[key] = value
    return patch


def weighty(status: Manifest) -> Manifest:
    """Return the part of a status whose change is written at once."""
    kept = {key: value for key, value in status.items() if key not in _MINOR_FIELDS}
    kept["cluster"] = {key: it for key, it in status.get("cluster", {}).items() if key != "readyNodes"}
    kept["conditions"] = [
        {key: value for key, value in it.items() if key != "message" or it["type"] not in _MINOR_MESSAGES}
        for it in status.get("conditions", [])
    ]
    # That GPUs are held, or no more, is told at once; how many, in between, may wait.
    kept["holds"] = bool((status.get("gpuSeconds") or {}).get("holding"))
    kept["attempts"] = [
        {key: value for key, value in it.items() if key != "fromStep"} for it in status.get("attempts", [])
    ]
    return kept


def transition(old: Manifest, assessment: Assessment) -> Event | None:
    """Return the event of a change: `Ready` has another reason than before."""
    standing = assessment.standing
    before = (it.get("reason") for it in old.get("conditions", []) if it.get("type") == ConditionType.READY)
    if next(before, None) == standing.reason:
        return None
    stalled = next(it for it in assessment.status.conditions if it.type == ConditionType.STALLED)
    is_bad = stalled.status == "True" or assessment.stage is Stage.BACKING_OFF
    kind = "Warning" if is_bad else "Normal"
    return Event(kind, standing.reason, standing.message[:_MAX_EVENT_MESSAGE])
