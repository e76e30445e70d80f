"""What can be watched now: the kinds that the API server knows, in the namespaces that grant us rights.

A kind or a namespace that refuses one watch would end all of them, so it is left out, said once, and asked
for again until it can be served.
"""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from rrm_operator import metrics
from rrm_operator.facts import Kind
from rrm_operator.kubernetes_cluster import KUBERAY, TRAININGS
from rrm_operator.patience import patiently
from rrm_operator.rights import WATCHED, Resource

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scope:
    """Kinds and namespaces that are watched."""

    kinds: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] = ()
    """Empty: the whole cluster."""

    @property
    def places(self) -> tuple[str | None, ...]:
        """Where lists are asked for; None is the whole cluster."""
        return self.namespaces or (None,)


class Asked(Protocol):
    """The part of `kubernetes_cluster.KubernetesCluster` that tells what can be watched."""

    async def serves(self, resource: Resource) -> bool:
        """Return whether the API server knows a kind."""

    async def may_list(self, kind: str, namespace: str | None) -> bool:
        """Return whether the objects of a kind may be listed in a namespace, or everywhere."""


class Probe:
    """Finds the scope of now; remembers what it left out, so that each is told once."""

    def __init__(self, cluster: Asked, namespaces: tuple[str, ...]) -> None:
        self._cluster = cluster
        self._wanted = namespaces
        self._refused: frozenset[str | None] = frozenset()

    async def scope(self) -> Scope | None:
        """Return what can be watched now, None if that is nothing; asks until the API server answers."""
        kinds = await self._kinds()
        if not kinds:
            _log.warning("the API server does not know RewardModelTraining: install the chart's CRD")
            return None
        served = await self._served(kinds)
        return Scope(kinds, tuple(it for it in served if it is not None)) if served else None

    def is_whole(self, scope: Scope) -> bool:
        """Return whether nothing was left out that may come: what goes ends its own watch."""
        return Kind.RAY_CLUSTER in scope.kinds and scope.namespaces == self._wanted

    async def _kinds(self) -> frozenset[str]:
        if not await patiently(partial(self._cluster.serves, TRAININGS)):
            return frozenset()
        has_kuberay = await patiently(partial(self._cluster.serves, KUBERAY))
        return frozenset(it for it in WATCHED if has_kuberay or it != Kind.RAY_CLUSTER)

    async def _served(self, kinds: frozenset[str]) -> list[str | None]:
        wanted: tuple[str | None, ...] = self._wanted or (None,)
        refused = {place: kind for place in wanted if (kind := await self._refused_kind(place, kinds))}
        for place in sorted(refused.keys() - self._refused, key=str):
            fields = {"namespace": place or "all", "refused_kind": refused[place]}
            _log.warning("left out: no such namespace, or the chart's Role is not in it", extra=fields)
        for place in sorted(self._refused - refused.keys(), key=str):
            _log.info("served from now on", extra={"namespace": place or "all"})
        self._refused = frozenset(refused)
        metrics.NAMESPACES_REFUSED.set(len(refused))
        return [place for place in wanted if place not in refused]

    async def _refused_kind(self, place: str | None, kinds: frozenset[str]) -> str | None:
        for kind in sorted(kinds):
            if not await patiently(partial(self._cluster.may_list, kind, place)):
                return kind
        return None
