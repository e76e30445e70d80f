"""Runs kopf: its watches, and nothing else of it, in a thread and event loop of its own.

Of its own, because kopf at its end cancels every task of its loop that is younger than itself, and a missing
or vanished kind ends it: the looks at trainings that are in progress must not go with it.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import kopf
from kopf import BodyEssence, RawBody
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory
from kubernetes.aio.client.configuration import Configuration

from rrm_api import group
from rrm_operator import metrics
from rrm_operator.facts import Manifest
from rrm_operator.handlers import Feed, register
from rrm_operator.inbox import Inbox
from rrm_operator.kopf_client import read_deep_json
from rrm_operator.rights import RESOURCES
from rrm_operator.scope import Scope
from rrm_operator.settings import Settings

_log = logging.getLogger(__name__)

INACTIVITY_SECONDS = 70.0
"""A watch without even a bookmark for so long is dead: the API server sends one each minute."""

LIST_PAGE: Final = 100
"""Objects of a list that are read at once: nothing else runs meanwhile, in whatever thread, for 0.1 s."""

LIST_BACKOFFS: Final = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)
"""Seconds between tries of a list; then it is begun anew, or, where it was refused each time, kopf ends."""


@dataclass(frozen=True)
class Watch:
    """One life of kopf."""

    scope: Scope
    stop: threading.Event
    ended: asyncio.Event
    inbox: Inbox


class Watching:
    """Starts and stops kopf; hands its events to the loop it was made in."""

    def __init__(self, configuration: Configuration, settings: Settings, feed: Feed) -> None:
        self._configuration = configuration
        self._settings = settings
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._watch: Watch | None = None

    @property
    def scope(self) -> Scope | None:
        """What is watched now; None while kopf does not run."""
        return self._watch.scope if self._watch and not self._watch.ended.is_set() else None

    def start(self, scope: Scope) -> None:
        """Watch this from now on."""
        metrics.KOPF_STARTS.inc()
        read_deep_json()
        stop = threading.Event()
        watch = Watch(scope, stop, asyncio.Event(), Inbox(self._feed, stop))
        self._watch = watch
        threading.Thread(target=self._run, args=[watch], name="kopf", daemon=True).start()

    async def ended(self, seconds: float) -> bool:
        """Wait until kopf has ended by itself, or so long; return whether it has."""
        if self._watch is None:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._watch.ended.wait()
        return self._watch.ended.is_set()

    async def stop(self, seconds: float | None = None) -> None:
        """Stop watching and wait for the end, so long at most."""
        if self._watch is not None:
            self._watch.stop.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._watch.ended.wait()

    def _run(self, watch: Watch) -> None:
        try:
            asyncio.run(self._kopf(watch))
        except Exception as error:  # noqa: BLE001 - an edge of the process
            # Whatever kopf died of, and it has logged that, the supervisor starts it again.
            # Not its `repr`: that of some errors of the HTTP client shows the request's headers.
            _log.warning("watching ended", extra={"error": f"{type(error).__name__}: {error}"})
        finally:
            self._call(watch.ended.set)

    async def _kopf(self, watch: Watch) -> None:
        namespaces = watch.scope.namespaces
        try:
            await kopf.operator(
                registry=self._registry(watch),
                settings=kopf_settings(self._settings, watch.scope.kinds),
                standalone=True,
                clusterwide=not namespaces,
                namespaces=namespaces,
                stop_flag=watch.stop,
                memories=NoMemories(),
            )
        finally:
            # kopf waits for the flag in a helper thread that the end of the loop waits for.
            watch.stop.set()

    def _registry(self, watch: Watch) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        async def log_in(**_: object) -> kopf.ConnectionInfo:
            return await connection_info(self._configuration)

        def hand_on(kind: str, manifest: Manifest, deleted: bool) -> None:
            if not watch.stop.is_set():
                watch.inbox.put(kind, manifest, deleted)
                self._call(watch.inbox.wake)

        kopf.on.login(registry=registry)(log_in)
        for kind in sorted(watch.scope.kinds):
            register(registry, kind, hand_on)
        return registry

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The process is ending and nobody is there to hear it.
            _log.debug("an event came after the end")


class NoDifferences(kopf.DiffBaseStorage):
    """Keeps no earlier state and compares nothing: level-triggered handlers need neither.

    kopf's own copies every object deeply for each event, which was half of the time an event took.
    """

    def build(self, **_: object) -> BodyEssence:
        """Return that there is nothing worth comparing."""
        return BodyEssence()

    def fetch(self, **_: object) -> BodyEssence | None:
        """Return that nothing was stored."""
        return None

    def store(self, **_: object) -> None:
        """Store nothing."""


class NoMemories(ResourceMemories):
    """Keeps nothing about an object between its events: a kilobyte for each of a training's dozen."""

    async def recall(
        self, raw_body: RawBody, *, noticed_by_listing: bool = False, **_: object
    ) -> ResourceMemory:
        """Return what is known about an object that nothing is known about."""
        return ResourceMemory(noticed_by_listing=noticed_by_listing)


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: ours are told of events and never tried again."""

    def fetch(self, **_: object) -> None:
        """Return that nothing was stored."""

    def store(self, **_: object) -> None:
        """Store nothing."""

    def purge(self, **_: object) -> None:
        """Remove nothing."""

    def touch(self, **_: object) -> None:
        """Touch nothing."""

    def clear(self, *, essence: BodyEssence) -> BodyEssence:
        """Return the essence as it is."""
        return essence


def kopf_settings(settings: Settings, kinds: frozenset[str]) -> kopf.OperatorSettings:
    """Return kopf's settings: no writes of its own, no scanning, watches that cannot fall silent."""
    kopf_own = kopf.OperatorSettings()
    kopf_own.posting.enabled = False
    kopf_own.scanning.disabled = True
    kopf_own.persistence.finalizer = f"{group.GROUP}/unused"
    kopf_own.persistence.progress_storage = NoProgress()
    kopf_own.persistence.diffbase_storage = NoDifferences()
    kopf_own.watching.chunk_size = LIST_PAGE
    kopf_own.watching.server_timeout = settings.watch_seconds
    kopf_own.watching.client_timeout = settings.watch_seconds + INACTIVITY_SECONDS
    kopf_own.watching.connect_timeout = settings.request_timeout_seconds
    kopf_own.watching.inactivity_timeout = INACTIVITY_SECONDS
    kopf_own.networking.request_timeout = settings.request_timeout_seconds
    # Its own waits grow to 21 s between tries of a list: after an outage everything would wait for the last.
    kopf_own.networking.error_backoffs = LIST_BACKOFFS
    # A task and a queue for each object that has changed: not longer than a burst of changes lasts.
    kopf_own.queueing.idle_timeout = 1.0
    # Its last resort is SIGKILL for the whole process; ending is the supervisor's business.
    kopf_own.process.ultimate_exiting_timeout = None
    for kind in kinds:
        resource = RESOURCES[kind]
        if resource.only_ours:
            place = (resource.group, resource.version, resource.plural)
            kopf_own.watching.label_selectors[place] = group.LABEL_TRAINING
    return kopf_own


async def connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    """Return our own credentials as kopf wants them, so that there is one source; asked again after a 401.

    Not a session of ours, with a quicker reader of lists: kopf closes it when it ends, and waits for another
    one for ever.
    """
    header = await configuration.get_api_key_with_prefix("BearerToken")
    scheme, _, token = (header or "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        scheme=scheme.capitalize() or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
