"""Keeps the store true: runs the watches of what can be watched, compares the store with lists of names.

Nothing is worked on before all that exists is in the store: a RayCluster that has merely not been heard
of yet must not look lost. Who stands by keeps its store true as well, and so takes over at once.
"""

import asyncio
import logging
from functools import partial
from typing import Final

from rrm_operator import metrics
from rrm_operator.errors import Conflict, Forbidden
from rrm_operator.facts import Key, Kind
from rrm_operator.feeding import Feeding
from rrm_operator.kubernetes_cluster import KubernetesCluster
from rrm_operator.patience import patiently
from rrm_operator.scope import Probe, Scope
from rrm_operator.settings import Settings
from rrm_operator.store import Identity
from rrm_operator.watching import Watching

_log = logging.getLogger(__name__)

_SYNC_SECONDS: Final = 0.3
_START_SECONDS: Final = 120.0
_SILENCE_SECONDS: Final = 15.0
_RESTART_SECONDS: Final = 1.0
_Missing = dict[str, frozenset[Identity]]
"""What exists, by kind, and no event has told of."""


class Supervisor:
    """Owns the watches; of who leads, opens the queue when the store is level with the cluster."""

    def __init__(
        self,
        *,
        cluster: KubernetesCluster,
        feeding: Feeding,
        watching: Watching,
        settings: Settings,
    ) -> None:
        self._cluster = cluster
        self._feeding = feeding
        self._store = feeding.store
        self._queue = feeding.queue
        self._watching = watching
        self._settings = settings
        self._probe = Probe(cluster, settings.watched_namespaces)
        self._level = False
        self._leads = asyncio.Event()
        self._works = False

    @property
    def is_level(self) -> bool:
        """Whether the store was level with the cluster and is still watched, and who leads works."""
        return self._level and self._watching.scope is not None and self._works == self._leads.is_set()

    def lead(self) -> None:
        """Work, as soon as the store is level with all that exists now."""
        self._leads.set()

    async def run(self) -> None:
        """Supervise for ever."""
        while True:
            wanted = await self._probe.scope()
            if wanted is None:
                await self._halt()
                await asyncio.sleep(self._settings.probe_seconds)
                continue
            if wanted != self._watching.scope:
                await self._restart(wanted)
            await self._live(wanted)

    async def _halt(self) -> None:
        """Watch nothing, and work on nothing that is not watched."""
        self._queue.close()
        self._level = self._works = False
        await self._watching.stop()
        self._feeding.watchers.freshness.begin_anew()

    async def _restart(self, wanted: Scope) -> None:
        await self._halt()
        # What another one made before it ended may be missing in lists that were asked for until then.
        leads = self._leads.is_set()
        self._wake(self._store.set_kuberay(installed=Kind.RAY_CLUSTER in wanted.kinds))
        self._watching.start(wanted)
        self._level = await self._gets_level(_START_SECONDS)
        if not self._level:
            # Watches that ran on would pass for what is wanted, and nobody would ever start them anew.
            _log.warning("the store did not get level with the cluster: watching is started anew")
            await self._watching.stop()
            return
        told = {"kinds": len(wanted.kinds), "trainings": len(self._store.keys())}
        _log.info("watching", extra=told | {"namespaces": len(wanted.namespaces) or "all"})
        if leads:
            self._work()

    def _work(self) -> None:
        self._works = True
        self._queue.open()
        self._wake(self._store.keys())

    async def _live(self, wanted: Scope) -> None:
        """Return when the watches have ended or must be started anew."""
        clock = asyncio.get_running_loop().time
        next_sweep = clock() + self._settings.relist_seconds
        while self._level and self._watching.scope == wanted:
            # What vanishes ends its watch, so only what may come must be asked for.
            if not self._probe.is_whole(wanted) and await self._probe.scope() != wanted:
                return
            await self._rest()
            takes_over = self._leads.is_set() and not self._works
            if takes_over or clock() >= next_sweep:
                next_sweep = clock() + self._settings.relist_seconds
                if not await self._gets_level(_SILENCE_SECONDS):
                    _log.error("a watch has fallen silent, or was refused")
                    await self._watching.stop()
                elif takes_over:
                    self._work()
        # A watch that was refused ends kopf at once: do not start it in a tight loop.
        await asyncio.sleep(_RESTART_SECONDS)

    async def _rest(self) -> None:
        """Wait until it is time to probe, or the watches end, or who stands by is to lead."""
        waits = [asyncio.create_task(self._watching.ended(self._settings.probe_seconds))]
        if not self._works:
            waits.append(asyncio.create_task(self._leads.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for it in waits:
                it.cancel()

    async def _gets_level(self, seconds: float) -> bool:
        """Return whether all that exists now is told of by events, or gone, before that many seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        try:
            missing = await self._sweep_all()
            while missing and self._watching.scope and clock() < deadline:
                await asyncio.sleep(_SYNC_SECONDS)
                missing = await self._still_missing(missing)
        except (Forbidden, Conflict) as error:
            # A namespace that went takes its Role along, a CRD its kind: the next probe leaves it out.
            _log.warning("%s", error)
            return False
        return not missing and self._watching.scope is not None

    async def _sweep_all(self) -> _Missing:
        """Evict what no longer exists; return what exists and no event has told of."""
        scope = self._watching.scope or Scope()
        found = {kind: await self._sweep(kind, scope) for kind in sorted(scope.kinds)}
        return {kind: missing for kind, missing in found.items() if missing}

    async def _still_missing(self, before: _Missing) -> _Missing:
        """Return what no event has told of yet; a kind is listed again only if none came: it may be gone."""
        scope, now = self._watching.scope or Scope(), dict[str, frozenset[Identity]]()
        for kind, identities in before.items():
            left = self._store.untold(kind, identities)
            if left == identities:
                left &= await self._sweep(kind, scope)
            if left:
                now[kind] = left
        return now

    async def _sweep(self, kind: str, scope: Scope) -> frozenset[Identity]:
        until = self._store.order
        listed: list[Identity] = []
        for namespace in scope.places:
            listed += await patiently(partial(self._cluster.list_identities, kind, namespace))
        sweep = self._store.sweep(kind, listed, until=until)
        if sweep.evicted:
            metrics.GHOSTS.labels(kind).inc(len(sweep.evicted))
            _log.warning("evicted objects that vanished unseen", extra={"kind": kind})
        for key in sweep.evicted - self._store.keys():
            self._feeding.forget(key)
        self._wake(sweep.evicted)
        return sweep.missing

    def _wake(self, keys: frozenset[Key]) -> None:
        for key in keys:
            self._queue.add(key)
