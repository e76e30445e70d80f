"""The composition root: reads settings and keys, connects the parts, runs them until a signal comes."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import uuid4

import aiohttp
from kubernetes.aio.client.configuration import Configuration

from rrm_operator import metrics
from rrm_operator.api_server import ApiServer, load_configuration
from rrm_operator.errors import OperatorError
from rrm_operator.facts import Key
from rrm_operator.feeding import Feeding, Watchers
from rrm_operator.freshness import Freshness
from rrm_operator.handlers import Worker
from rrm_operator.health import Heartbeat, health_server
from rrm_operator.key_folder import KeyFolder
from rrm_operator.keys import RayKeys
from rrm_operator.kubernetes_cluster import KubernetesCluster
from rrm_operator.lease import Alone, Gate, Lease, LeaseLost
from rrm_operator.lease_rules import Timing
from rrm_operator.logs import Masks, set_up_logging
from rrm_operator.ray_jobs import DirectTransport, HttpRayJobs, ProxyTransport, RayTransport
from rrm_operator.reconcile import Reconciler
from rrm_operator.settings import RayReach, Settings
from rrm_operator.store import Store
from rrm_operator.supervisor import Supervisor
from rrm_operator.telemetry import Telemetry
from rrm_operator.watching import Watching
from rrm_operator.work_queue import WorkQueue

_log = logging.getLogger("rrm_operator")

CONFIGURATION_ERROR: Final = 2
LEASE_LOST: Final = 3
_LAST_LOOKS_SECONDS: Final = 4.0
_LAST_EVENTS_SECONDS: Final = 2.0
_STOP_SECONDS: Final = 9.0
"""Longest time from the signal to the end, whatever does not answer any more."""
_LOST_SECONDS: Final = 1.0
"""The same after the lease is lost, when another operator is about to work."""


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
    freshness: Freshness
    watch_keys: Callable[[], Coroutine[Any, Any, None]]
    prepare_to_lead: Callable[[], None]


def main() -> None:
    """Run the operator until SIGTERM or SIGINT; exits with 2 if it cannot start, 3 if it lost the lease."""
    try:
        settings = Settings()
    except ValueError as error:  # a value that is refused, or one that is no JSON
        sys.stderr.write(f"settings (environment variables RRM_...): {error}\n")
        raise SystemExit(CONFIGURATION_ERROR) from error
    masks = Masks()
    set_up_logging(settings.log_level, settings.log_format, masks)
    try:
        code = asyncio.run(run(settings, masks))
    except OperatorError as error:
        _log.error("%s", error)
        raise SystemExit(CONFIGURATION_ERROR) from error
    raise SystemExit(code)


async def run(settings: Settings, masks: Masks) -> int:
    """Run the operator until a signal comes, or the lease is lost; return the exit code."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    folder = KeyFolder(settings.keys_folder, namespace=settings.operator_namespace)
    configuration = await load_configuration()
    beat = Heartbeat()
    async with (
        gate(settings, configuration) as lease,
        connected(settings, configuration, folder, masks=masks, lease=lease) as parts,
    ):
        probes = {
            "is_alive": lambda: beat.is_recent() and parts.freshness.is_fresh(),
            "is_ready": lambda: parts.supervisor.is_level and (lease.is_held() or lease.is_waiting()),
        }
        async with health_server(settings, **probes) as port, background(beat.run()):
            _log.info("started", extra={"http_port": port})
            return await work_until(stopped, parts, lease)


async def work_until(stopped: asyncio.Event, parts: Parts, lease: Gate) -> int:
    """Stand by, then work, until the signal, or until the lease is lost, which ends all that runs at once."""
    code = 0
    try:
        async with asyncio.TaskGroup() as tasks:
            works = (
                lead(parts, lease),
                parts.queue.run(),
                parts.cluster.post_events(),
                parts.watch_keys(),
            )
            running = [tasks.create_task(it) for it in works]
            supervising = tasks.create_task(parts.supervisor.run())
            await stopped.wait()
            _log.info("stopping")
            end_within(_STOP_SECONDS, code)
            supervising.cancel()  # It would take the end of the watches for a fault, and begin them anew.
            await asyncio.gather(
                parts.queue.drain(_LAST_LOOKS_SECONDS), parts.watching.stop(_LAST_LOOKS_SECONDS)
            )
            await parts.cluster.events_posted(_LAST_EVENTS_SECONDS)
            for task in running:
                task.cancel()
    except* LeaseLost as lost:
        code = LEASE_LOST
        end_within(_LOST_SECONDS, code)
        _log.error("%s", lost.exceptions[0])
    finally:
        # Also when a bug ended the work: a thread of kopf that runs on would hold the process for ever.
        await parts.watching.stop(_LAST_LOOKS_SECONDS)
        await lease.release()
    return code


async def lead(parts: Parts, lease: Gate) -> None:
    """Let the parts work while the lease is held; never returns."""
    await lease.acquire()
    parts.prepare_to_lead()
    parts.supervisor.lead()
    await lease.keep()


def end_within(seconds: float, code: int) -> None:
    """End the process after so long, whatever still hangs then, such as the look-up of a name."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()


@asynccontextmanager
async def background(running: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something until the block ends."""
    task = asyncio.create_task(running)
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def gate(settings: Settings, configuration: Configuration) -> AsyncIterator[Gate]:
    """Connect what decides whether this process may work; it has a connection of its own."""
    if not settings.leader_election:
        yield Alone()
        return
    timing = Timing(settings.lease_seconds)
    identity = f"{socket.gethostname()}_{uuid4().hex[:8]}"
    async with ApiServer(configuration, timeout_seconds=timing.timeout_seconds) as server:
        yield Lease(
            server,
            namespace=settings.operator_namespace,
            name=settings.lease_name,
            identity=identity,
            timing=timing,
        )


def transport_of(settings: Settings, server: ApiServer, session: aiohttp.ClientSession) -> RayTransport:
    """Return the way to Ray's job APIs that the settings name."""
    if settings.ray_reach is RayReach.PROXY and settings.ray_url is None:
        return ProxyTransport(server)
    return DirectTransport(session, settings)


def prepare_to_lead(feeding: Feeding, reconciler: Reconciler, folder: KeyFolder) -> None:
    """Take the keys of now, and tell of the trainings, as another one did until now."""
    folder.reread()  # It is looked at from time to time only.
    reconciler.use_keys(folder.keys)
    metrics.QUEUE_LENGTH.set_function(lambda: len(feeding.queue))
    metrics.TRAININGS.set_function(lambda: len(feeding.store.keys()))
    metrics.ECHO_SECONDS.set_function(feeding.watchers.freshness.age)
    feeding.watchers.telemetry.begin()


@asynccontextmanager
async def connected(
    settings: Settings, configuration: Configuration, folder: KeyFolder, *, masks: Masks, lease: Gate
) -> AsyncIterator[Parts]:
    """Connect all parts; the connections are closed at the end of the block."""
    clock, store, freshness, telemetry = SystemClock(), Store(), Freshness(), Telemetry(stands_by=True)
    async with (
        ApiServer(
            configuration, timeout_seconds=settings.request_timeout_seconds, may_write=lease.is_held
        ) as server,
        aiohttp.ClientSession() as session,
    ):
        cluster = KubernetesCluster(server, freshness)
        ray = HttpRayJobs(transport_of(settings, server, session), clock)
        reconciler = Reconciler(
            facts=store,
            cluster=cluster,
            ray=ray,
            clock=clock,
            settings=settings,
            keys=folder.keys,
            tell=telemetry.observe,
        )
        queue = WorkQueue(
            Worker(reconciler.reconcile).look,
            workers=settings.workers,
            waited=metrics.QUEUE_WAIT_SECONDS.observe,
        )

        def changed(keys: RayKeys) -> None:
            reconciler.use_keys(keys)
            for key in store.keys():
                queue.add(key)

        watch_keys = partial(folder.watch, settings.probe_seconds, changed)
        feeding = Feeding(store, queue, Watchers(freshness, telemetry, masks))
        watching = Watching(configuration, settings, feeding.feed)
        supervisor = Supervisor(cluster=cluster, feeding=feeding, watching=watching, settings=settings)
        prepare = partial(prepare_to_lead, feeding, reconciler, folder)
        yield Parts(queue, supervisor, watching, cluster, freshness, watch_keys, prepare)


if __name__ == "__main__":
    main()
