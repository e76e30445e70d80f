"""Claims that specs name: not ours, so not watched, but looked up and remembered for a while."""

from dataclasses import dataclass, field, replace
from typing import Final

from rrm_api.conditions import Stage
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.assess.looks import MISSING_CLAIM_SECONDS
from rrm_operator.facts import ClaimFact, Key, Snapshot
from rrm_operator.ports import Cluster

KNOWN_SECONDS: Final = 3600.0
"""How long a claim that was found bound is believed to be there, unless a person must act."""
_NEEDED_IN: Final = frozenset(
    {
        None,
        Stage.PENDING,
        Stage.PREPARING,
        Stage.PROVISIONING,
        Stage.BACKING_OFF,
        Stage.SUSPENDED,
        Stage.STALLED,
        Stage.FAILED,
    }
)
"""Stages after which pods may be made: a training that runs asks for nothing."""


@dataclass(frozen=True)
class _Lookup:
    name: str
    claim: ClaimFact | None
    at: float


@dataclass
class NamedClaims:
    """Remembers what was found, which may be lost at any time."""

    cluster: Cluster
    _lookups: dict[Key, _Lookup] = field(default_factory=dict)

    async def with_named_claim(
        self, key: Key, training: RewardModelTraining, snapshot: Snapshot, *, now: float
    ) -> Snapshot:
        """Return a snapshot with the claim that the spec names in place of ours."""
        name = training.spec.checkpoints.volume.claim_name
        if name is None:
            return snapshot
        known = self._lookups.get(key)
        if training.status.stage in _NEEDED_IN and not _is_fresh(known, training, now):
            known = _Lookup(name, await self.cluster.get_claim(key.namespace, name), now)
            self._lookups[key] = known
        if known is None or known.name != name:
            return replace(snapshot, claim=None)
        return replace(snapshot, claim=known.claim, claim_is_missing=known.claim is None)

    def forget(self, key: Key) -> None:
        """Forget a training that is gone."""
        self._lookups.pop(key, None)


def _is_fresh(known: _Lookup | None, training: RewardModelTraining, now: float) -> bool:
    if known is None or known.name != training.spec.checkpoints.volume.claim_name:
        return False
    is_bound = known.claim is not None and known.claim.phase == "Bound"
    is_believed = is_bound and training.status.stage is not Stage.STALLED
    return now - known.at < (KNOWN_SECONDS if is_believed else MISSING_CLAIM_SECONDS)
