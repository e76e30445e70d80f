"""How often an object is written again that is wanted as before: others may keep changing or deleting it.

The first edit by hand is answered at once. Who edits again, a webhook that changes all that is written, or a
controller that wants the object otherwise or gone, is answered after a wait that doubles to ten minutes: a
fight costs six writes an hour, whatever the other side does, and is begun anew after an hour of peace. The
same wait keeps from being repeated what the watch has not told of yet. A restart forgets all this.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from rrm_api import group
from rrm_operator.facts import Manifest
from rrm_operator.ports import Clock, Ref
from rrm_operator.work_queue import Backoff

_WAITS: Final = Backoff(first_seconds=10.0, longest_seconds=600.0)
_PEACE_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class _Write:
    """The last write of an object."""

    digest: str
    """Of what was wanted: another wish waits for nothing."""
    at: float
    repeats: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """An object that differs from its plan, and is written after so many seconds."""

    seconds: float
    refusal: str
    """The API server's words, if it did not let us write it; else empty."""


@dataclass(slots=True)
class Repairs:
    """What was written of one training's objects, and how that ended."""

    clock: Clock
    refusal: str = ""
    """The API server's words about an object that somebody has changed and that cannot be put right."""
    _writes: dict[tuple[str, str], _Write] = field(default_factory=dict)

    def postponed(self, manifest: Manifest, *, exists: bool) -> Postponed | None:
        """Return how long an object waits for its next write; None = it is due.

        What could not be changed is made anew as soon as a person has deleted it.
        """
        last = self._last(manifest)
        if last is None or last.repeats == 0 or (last.refusal and not exists):
            return None
        rest = last.at + _WAITS.delay(last.repeats, 1.0) - self.clock.now()
        return Postponed(rest, last.refusal) if rest > 0 else None

    def wrote(self, manifest: Manifest, *, refusal: str = "") -> None:
        """Note a write, with the API server's words if it refused it."""
        last = self._last(manifest)
        repeats = last.repeats + 1 if last is not None else int(bool(refusal))
        self._writes[_name(manifest)] = _Write(_wish(manifest), self.clock.now(), repeats, refusal)

    def deleted(self, ref: Ref) -> None:
        """Note that we have deleted an object ourselves."""
        self._writes.pop((ref.kind, ref.name), None)

    def tell(self, postponed: list[Postponed]) -> bool:
        """Note all that a look has postponed; return whether what there is to say about it has changed."""
        for name in [name for name, write in self._writes.items() if self._is_forgotten(write)]:
            del self._writes[name]
        refusal = next((it.refusal for it in postponed if it.refusal), "")
        is_news, self.refusal = refusal != self.refusal, refusal
        return is_news

    def _last(self, manifest: Manifest) -> _Write | None:
        """Return the last write of what is wanted now, unless there was peace since."""
        last, now = self._writes.get(_name(manifest)), self.clock.now()
        if last is None or last.digest != _wish(manifest) or self._is_forgotten(last):
            return None
        if now < last.at:  # The clock was set back: nobody waits until it is there again.
            last = self._writes[_name(manifest)] = replace(last, at=now)
        return last

    def _is_forgotten(self, write: _Write) -> bool:
        return self.clock.now() - write.at >= _PEACE_SECONDS


def _name(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def _wish(manifest: Manifest) -> str:
    return str(manifest["metadata"]["annotations"][group.ANNOTATION_DIGEST])
