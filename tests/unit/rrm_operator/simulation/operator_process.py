"""The operator's process: fed by watches that lag and break, works on what is due, dies, and starts anew."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from rrm_api import group
from rrm_operator.errors import OperatorError
from rrm_operator.facts import Key, Kind, Manifest
from rrm_operator.handlers import Worker
from rrm_operator.keys import RayKeys
from rrm_operator.reconcile import Reconciler
from rrm_operator.rights import WATCHED
from rrm_operator.settings import Settings
from rrm_operator.store import Identity, Store
from rrm_operator.work_queue import Schedule

from .api_server import NAMESPACE
from .faults import Crash
from .operator_side import Ports

GATHER_SECONDS = 1.0
BOOT_SECONDS = 3.0
SWEEP_SECONDS = 300.0
_URGENT = frozenset({group.KIND, Kind.CONFIG_MAP.value})
SETTINGS = Settings(default_image="registry.example.com/rrm-trainer:1")
KEYS = RayKeys({"k1": b"secret"}, newest="k1")


class Instantly(asyncio.SelectorEventLoop):
    """An event loop in which nothing waits for time to pass."""

    def call_at(self, when: float, callback: Any, *args: Any, **_: Any) -> asyncio.TimerHandle:
        raise AssertionError("a look waited for something that is not of this world")


_LOOP = Instantly()


def finished(coroutine: Coroutine[Any, Any, float | None]) -> float | None:
    """Return what a coroutine comes to; nothing in this world really waits."""
    return _LOOP.run_until_complete(coroutine)


@dataclass
class OperatorProcess:
    """One operator, or none while it is starting again."""

    ports: Ports
    kuberay_is_seen: bool = True
    is_alive: bool = False
    looks: int = 0
    lag: dict[str, float] = field(default_factory=dict)
    """Seconds by kind that events come late."""
    broken: set[str] = field(default_factory=set)
    """Kinds whose events are lost until the next list."""
    store: Store = field(init=False)
    schedule: Schedule[Key] = field(init=False)
    reconciler: Reconciler = field(init=False)
    _lives: int = 0
    _lists: dict[str, int] = field(default_factory=dict)
    _unexpected: Exception | None = None

    def __post_init__(self) -> None:
        self.timeline = self.ports.api.timeline
        self.boot()
        self.timeline.after(SWEEP_SECONDS, self._sweep)

    def boot(self) -> None:
        """Start with an empty memory and a list of all there is."""
        self._lives += 1
        self.is_alive, self.broken, self.lag = True, set(), {}
        self.store, self.schedule = Store(), Schedule()
        self.store.set_kuberay(installed=self.kuberay_is_seen)
        ports = self.ports
        self.reconciler = Reconciler(self.store, ports, ports, ports, SETTINGS, KEYS)
        # Always the upper end of the jitter: a life is the same each time it is lived.
        self.worker = Worker(self._reconcile, chance=lambda: 1.0)
        for kind in WATCHED:
            self.list_again(kind)
        for key in self.store.keys():
            self.schedule.add(key, self.timeline.now)

    def die(self, why: str) -> None:
        """End now, and start again a little later."""
        if self.is_alive:
            self.timeline.tell(f"the operator dies: {why}")
            self.is_alive = False
            self.ports.invariants.disturb()
            self.timeline.after(BOOT_SECONDS, self.boot)

    def told(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        """Take in an event of the API server, unless the watch is late or broken."""
        if not self.is_alive or kind not in WATCHED or not _is_ours(kind, manifest):
            return
        if kind in self.broken:
            self.ports.invariants.disturb()
        elif lag := self.lag.get(kind, 0.0):
            self.ports.invariants.disturb()
            watch = self._watch(kind)
            self.timeline.after(lag, lambda: self._late(kind, manifest, deleted, watch))
        else:
            self._feed(kind, manifest, deleted)

    def list_again(self, kind: str) -> None:
        """Do what kopf does when a watch is made anew: what exists is told of, what vanished is not."""
        self.broken.discard(kind)
        # What is on its way in the watch before never arrives: it would overtake what is listed now.
        self._lists[kind] = self._lists.get(kind, 0) + 1
        for (it, _), manifest in list(self.ports.api.objects.items()):
            if it == kind and _is_ours(kind, manifest):
                self._feed(kind, manifest, False)

    def see_kuberay(self, *, installed: bool) -> None:
        """Notice that KubeRay's kind came or went."""
        self.kuberay_is_seen = installed
        if self.is_alive:
            for key in self.store.set_kuberay(installed=installed):
                self.schedule.add(key, self.timeline.now)
            for kind in WATCHED:
                self.list_again(kind)

    def run_until(self, moment: float) -> None:
        """Let time pass: whatever is due first happens first."""
        timeline = self.timeline
        while True:
            due = self.schedule.next_at() if self.is_alive else None
            due = float("inf") if due is None else max(due, timeline.now)
            if timeline.next_at <= due:
                if timeline.next_at > moment:
                    break
                timeline.run_until(timeline.next_at)
            else:
                if due > moment:
                    break
                timeline.run_until(due)
                self.look()
        timeline.run_until(moment)

    def look(self) -> None:
        """Work on the training that is longest due."""
        schedule = self.schedule
        key = schedule.take(self.timeline.now)
        if key is None:
            return
        delay: float | None = None
        try:
            delay = self.look_at(key)
        finally:
            schedule.done(key)
        if delay is not None:
            schedule.add(key, self.timeline.now + delay)

    def look_at(self, key: Key) -> float | None:
        """Look at one training as the queue would; raises what is no error on purpose."""
        self.looks += 1
        try:
            delay = finished(self.worker.look(key))
        except Crash as crash:
            self.die(str(crash))
            return None
        if self._unexpected is not None:
            raise self._unexpected
        self.ports.invariants.time_passes()
        return delay

    async def _reconcile(self, key: Key) -> float | None:
        try:
            return await self.reconciler.reconcile(key)
        except OperatorError:
            raise
        except Exception as error:
            self._unexpected = error
            raise

    def _watch(self, kind: str) -> tuple[int, int]:
        """Return what tells one watch of a kind from the next."""
        return self._lives, self._lists.get(kind, 0)

    def _late(self, kind: str, manifest: Manifest, deleted: bool, watch: tuple[int, int]) -> None:
        if watch == self._watch(kind) and self.is_alive:
            self.ports.invariants.disturb()
            self._feed(kind, manifest, deleted)

    def _feed(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        key = self.store.feed(kind, manifest, deleted=deleted)
        if key is not None:
            wait = 0.0 if kind in _URGENT else GATHER_SECONDS
            self.schedule.add(key, self.timeline.now + wait)

    def _sweep(self) -> None:
        self.timeline.after(SWEEP_SECONDS, self._sweep)
        self.sweep()

    def sweep(self) -> None:
        """Compare the store with what exists, as the supervisor does now and then."""
        if not self.is_alive:
            return
        for kind in WATCHED:
            if kind == Kind.RAY_CLUSTER and not self.kuberay_is_seen:
                continue
            listed = [
                Identity(NAMESPACE, name, it["metadata"]["uid"])
                for (of, name), it in self.ports.api.objects.items()
                if of == kind and _is_ours(kind, it)
            ]
            sweep = self.store.sweep(kind, listed, until=self.store.order)
            for key in sweep.evicted:
                self.schedule.add(key, self.timeline.now)
            if sweep.missing:
                self.list_again(kind)


def _is_ours(kind: str, manifest: Manifest) -> bool:
    return kind == group.KIND or group.LABEL_TRAINING in (manifest["metadata"].get("labels") or {})
