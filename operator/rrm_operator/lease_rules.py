"""The rules of the lease, without a clock or a connection: what it says, and who may take it.

Clocks of two machines are never compared. The holder counts from the moment before it asked for its last
renewal, the others from the moment after they saw it: so the holder always gives up first.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from rrm_operator.facts import Manifest
from rrm_operator.rights import LEASE


@dataclass(frozen=True)
class Timing:
    """All times of a lease, from its length.

    >>> Timing(10).renew_seconds, Timing(10).timeout_seconds, Timing(10).give_up_seconds
    (2.0, 1.0, 8.0)
    """

    seconds: float
    """How long it holds after a renewal."""

    @property
    def renew_seconds(self) -> float:
        """How often it is renewed, or looked at."""
        return self.seconds / 5

    @property
    def timeout_seconds(self) -> float:
        """Longest wait for one answer."""
        return self.seconds / 10

    @property
    def give_up_seconds(self) -> float:
        """After how long without a renewal the holder ends: early enough to be gone when it expires."""
        return self.seconds * 0.8


@dataclass(frozen=True)
class Record:
    """What the Lease says."""

    holder: str
    """Empty: nobody."""
    renewed: str
    """Its `renewTime`: only ever compared for equality, since another machine's clock wrote it."""
    seconds: float
    """How long its holder promised that a renewal holds."""
    transitions: int
    version: str


@dataclass(frozen=True)
class Sight:
    """A record, and since when it has not changed on the clock of whoever looks."""

    record: Record
    since: float


def seen(before: Sight | None, record: Record, now: float) -> Sight:
    """Return the sight after looking: its time stands while neither holder nor renewal change."""
    if before and (before.record.holder, before.record.renewed) == (record.holder, record.renewed):
        return Sight(record, before.since)
    return Sight(record, now)


def is_free(sight: Sight, identity: str, now: float) -> bool:
    """Return whether `identity` may take the lease.

    Its own name in it counts as free: names are never used twice, so only the answer to taking it was lost.
    """
    record = sight.record
    return record.holder in ("", identity) or now - sight.since >= record.seconds


def record_of(manifest: Manifest, *, default_seconds: float) -> Record:
    """Return what a Lease says; one without a length holds as long as ours would."""
    spec = manifest.get("spec") or {}
    return Record(
        holder=spec.get("holderIdentity") or "",
        renewed=spec.get("renewTime") or "",
        seconds=float(spec.get("leaseDurationSeconds") or default_seconds),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=str(manifest["metadata"].get("resourceVersion", "")),
    )


def lease_manifest(before: Record | None, holder: str, *, timing: Timing, now: datetime) -> Manifest:
    """Return the Lease that replaces what was seen before, None = nothing: `holder` has it from now on."""
    metadata = {"resourceVersion": before.version} if before else {}
    is_taken = holder != "" and (before is None or before.holder != holder)
    return {
        "apiVersion": f"{LEASE.group}/{LEASE.version}",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, math.ceil(timing.seconds)),
            "leaseTransitions": (before.transitions if before else 0) + is_taken,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }
