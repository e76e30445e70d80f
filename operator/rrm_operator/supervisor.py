"""Keeps the store true: runs the watches for the kinds that exist, compares the store with lists of names.

Nothing is worked on before all that exists is in the store: a RayCluster that has merely not been heard
of yet must not look lost.
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from rrm_operator import metrics
from rrm_operator.errors import OperatorError
from rrm_operator.facts import Key, Kind
from rrm_operator.kubernetes_cluster import KUBERAY, TRAININGS, KubernetesCluster
from rrm_operator.rights import WATCHED
from rrm_operator.settings import Settings
from rrm_operator.store import Identity, Store
from rrm_operator.watching import Watching
from rrm_operator.work_queue import Backoff, WorkQueue

_log = logging.getLogger(__name__)

T = TypeVar("T")

_SYNC_SECONDS: Final = 0.3
_START_SECONDS: Final = 120.0
_SILENCE_SECONDS: Final = 15.0
_RESTART_SECONDS: Final = 1.0
_PATIENCE: Final = Backoff(0.5, 15)


class Supervisor:
    """Owns the watches; opens the queue when the store is level with the cluster."""

    def __init__(
        self,
        *,
        cluster: KubernetesCluster,
        store: Store,
        queue: WorkQueue[Key],
        watching: Watching,
        settings: Settings,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._queue = queue
        self._watching = watching
        self._settings = settings
        self._level = False

    @property
    def is_level(self) -> bool:
        """Whether the store was level with the cluster and is still watched."""
        return self._level and bool(self._watching.kinds)

    async def run(self) -> None:
        """Supervise for ever."""
        while True:
            wanted = await patiently(self._kinds)
            if not wanted:
                _log.warning("the API server does not know RewardModelTraining: install the chart's CRD")
                await self._halt()
                await asyncio.sleep(self._settings.probe_seconds)
                continue
            if wanted != self._watching.kinds:
                await self._restart(wanted)
            await self._live(wanted)

    async def _halt(self) -> None:
        """Watch nothing, and work on nothing that is not watched."""
        self._queue.close()
        self._level = False
        await self._watching.stop()

    async def _restart(self, wanted: frozenset[str]) -> None:
        await self._halt()
        self._wake(self._store.set_kuberay(installed=Kind.RAY_CLUSTER in wanted))
        self._watching.start(wanted)
        self._level = await self._gets_level(_START_SECONDS)
        if not self._level:
            # Watches that ran on would pass for what is wanted, and nobody would ever start them anew.
            _log.warning("the store did not get level with the cluster: watching is started anew")
            await self._watching.stop()
            return
        self._wake(self._store.keys())
        self._queue.open()
        _log.info("watching", extra={"kinds": len(wanted), "trainings": len(self._store.keys())})

    async def _live(self, wanted: frozenset[str]) -> None:
        """Return when the watches have ended or must be started anew."""
        clock = asyncio.get_running_loop().time
        next_sweep = clock() + self._settings.relist_seconds
        while self._level and self._watching.kinds == wanted:
            # A kind that vanishes ends its watch, so only one that may come must be asked for.
            if Kind.RAY_CLUSTER not in wanted and await patiently(self._kinds) != wanted:
                return
            await self._watching.ended(self._settings.probe_seconds)
            if clock() >= next_sweep:
                next_sweep = clock() + self._settings.relist_seconds
                if not await self._gets_level(_SILENCE_SECONDS):
                    _log.error("a watch has fallen silent")
                    await self._watching.stop()
        # A watch that was refused ends kopf at once: do not start it in a tight loop.
        await asyncio.sleep(_RESTART_SECONDS)

    async def _kinds(self) -> frozenset[str]:
        if not await self._cluster.serves(TRAININGS):
            return frozenset()
        absent = frozenset() if await self._cluster.serves(KUBERAY) else frozenset({Kind.RAY_CLUSTER.value})
        return frozenset(WATCHED) - absent

    async def _gets_level(self, seconds: float) -> bool:
        """Return whether all that exists now is told of by events, or gone, before that many seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        missing = await patiently(self._sweep_all)
        while missing and self._watching.kinds and clock() < deadline:
            await asyncio.sleep(_SYNC_SECONDS)
            missing &= await patiently(self._sweep_all)
        return not missing and bool(self._watching.kinds)

    async def _sweep_all(self) -> frozenset[Identity]:
        """Evict what no longer exists; return what exists and no event has told of."""
        return frozenset().union(*[await self._sweep(kind) for kind in sorted(self._watching.kinds)])

    async def _sweep(self, kind: str) -> frozenset[Identity]:
        until = self._store.order
        listed: list[Identity] = []
        for namespace in self._settings.watched_namespaces or (None,):
            listed += await self._cluster.list_identities(kind, namespace)
        sweep = self._store.sweep(kind, listed, until=until)
        if sweep.evicted:
            metrics.GHOSTS.labels(kind).inc(len(sweep.evicted))
            _log.warning("evicted objects that vanished unseen", extra={"kind": kind})
        self._wake(sweep.evicted)
        return sweep.missing

    def _wake(self, keys: frozenset[Key]) -> None:
        for key in keys:
            self._queue.add(key)


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Return the answer, asking until the API server gives one."""
    for failures in itertools.count(1):
        try:
            return await ask()
        except OperatorError as error:
            delay = _PATIENCE.delay(failures, random.random())
            _log.warning("%s", error, extra={"retry_seconds": round(delay, 1)})
            await asyncio.sleep(delay)
    raise AssertionError("unreachable: the count has no end")
