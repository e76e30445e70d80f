"""The composition root: reads settings and keys, connects the parts, runs them until a signal comes."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from pydantic import ValidationError

from rrm_api import group
from rrm_operator import metrics
from rrm_operator.api_server import ApiServer, load_configuration
from rrm_operator.errors import OperatorError
from rrm_operator.facts import Key, Kind, Manifest
from rrm_operator.handlers import Worker
from rrm_operator.health import health_server
from rrm_operator.key_folder import read_keys
from rrm_operator.kubernetes_cluster import KubernetesCluster
from rrm_operator.logs import set_up_logging
from rrm_operator.ray_jobs import DirectTransport, HttpRayJobs, ProxyTransport, RayTransport
from rrm_operator.reconcile import Reconciler
from rrm_operator.settings import RayReach, Settings
from rrm_operator.store import Store
from rrm_operator.supervisor import Supervisor
from rrm_operator.watching import Watching
from rrm_operator.work_queue import WorkQueue

_log = logging.getLogger("rrm_operator")

CONFIGURATION_ERROR: Final = 2
_LAST_LOOKS_SECONDS: Final = 5.0
_HEARTBEAT_SECONDS: Final = 60.0
_GATHER_SECONDS: Final = 1.0
"""Events of children come in bursts, and few are urgent: one look answers them all."""
_URGENT: Final = frozenset({group.KIND, Kind.CONFIG_MAP.value})
"""What people and the trainer say is looked at at once."""


class SystemClock:
    """`ports.Clock` of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        return time.time()


@dataclass(frozen=True)
class Parts:
    """What runs, connected."""

    queue: WorkQueue[Key]
    supervisor: Supervisor
    watching: Watching
    cluster: KubernetesCluster


def main() -> None:
    """Run the operator until SIGTERM or SIGINT; exit with 2 if it cannot start."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stderr.write(f"settings (environment variables RRM_...): {error}\n")
        raise SystemExit(CONFIGURATION_ERROR) from error
    set_up_logging(settings.log_level, settings.log_format)
    try:
        asyncio.run(run(settings))
    except OperatorError as error:
        _log.error("%s", error)
        raise SystemExit(CONFIGURATION_ERROR) from error


async def run(settings: Settings) -> None:
    """Run the operator until a signal comes."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with connected(settings) as parts:
        beat = Heartbeat()
        probes = {"is_alive": beat.is_recent, "is_ready": lambda: parts.supervisor.is_level}
        async with health_server(settings, **probes) as port, asyncio.TaskGroup() as tasks:
            _log.info("started", extra={"http_port": port})
            running = [
                tasks.create_task(parts.queue.run()),
                tasks.create_task(parts.supervisor.run()),
                tasks.create_task(parts.cluster.post_events()),
                tasks.create_task(beat.run()),
            ]
            await stopped.wait()
            _log.info("stopping")
            await parts.queue.drain(_LAST_LOOKS_SECONDS)
            await parts.cluster.events_posted(_LAST_LOOKS_SECONDS)
            for task in running:
                task.cancel()
        await parts.watching.stop(_LAST_LOOKS_SECONDS)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Parts]:
    """Connect all parts; the connections are closed at the end of the block."""
    keys = read_keys(settings.keys_folder, namespace=settings.operator_namespace)
    configuration = await load_configuration()
    clock, store = SystemClock(), Store()
    async with (
        ApiServer(configuration, timeout_seconds=settings.request_timeout_seconds) as server,
        aiohttp.ClientSession() as session,
    ):
        cluster = KubernetesCluster(server)
        transport: RayTransport = DirectTransport(session, settings)
        if settings.ray_reach is RayReach.PROXY and settings.ray_url is None:
            transport = ProxyTransport(server)
        ray = HttpRayJobs(transport, clock)
        reconciler = Reconciler(
            facts=store, cluster=cluster, ray=ray, clock=clock, settings=settings, keys=keys
        )
        queue = WorkQueue(Worker(reconciler.reconcile).look, workers=settings.workers)

        def feed(kind: str, manifest: Manifest, deleted: bool) -> None:
            metrics.EVENTS.labels(kind).inc()
            if (key := store.feed(kind, manifest, deleted=deleted)) is not None:
                queue.add(key, 0.0 if kind in _URGENT else _GATHER_SECONDS)

        watching = Watching(configuration, settings, feed)
        supervisor = Supervisor(
            cluster=cluster, store=store, queue=queue, watching=watching, settings=settings
        )
        metrics.QUEUE_LENGTH.set_function(lambda: len(queue))
        metrics.TRAININGS.set_function(lambda: len(store.keys()))
        yield Parts(queue, supervisor, watching, cluster)


class Heartbeat:
    """Tells a stuck event loop from a busy one."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_recent(self) -> bool:
        """Return whether the loop came round in the last minute."""
        return time.monotonic() - self._last < _HEARTBEAT_SECONDS

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            self._last = time.monotonic()
            await asyncio.sleep(1)


if __name__ == "__main__":
    main()
