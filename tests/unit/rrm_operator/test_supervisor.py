"""The supervisor comes back by itself: from a start that got stuck, and from a CRD that was deleted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from rrm_api import group
from rrm_operator import supervisor
from rrm_operator.facts import Key
from rrm_operator.kubernetes_cluster import TRAININGS
from rrm_operator.rights import Resource
from rrm_operator.settings import Settings
from rrm_operator.store import Identity, Store
from rrm_operator.supervisor import Supervisor
from rrm_operator.work_queue import WorkQueue

PROBE_SECONDS = 0.05
JUDGE: dict[str, Any] = {"metadata": {"namespace": "demo", "name": "judge", "uid": "u"}}


@dataclass
class Api:
    """An API server that knows kinds and names."""

    has_crd: bool = True
    trainings: list[Identity] = field(default_factory=list)
    asked: int = 0

    async def serves(self, resource: Resource) -> bool:
        self.asked += 1
        return self.has_crd or resource is not TRAININGS

    async def list_identities(self, kind: str, namespace: str | None) -> list[Identity]:
        return self.trainings if kind == group.KIND else []


@dataclass
class Watches:
    """Watches that end when they are told to, or when their kind is gone."""

    tell: Callable[[], None]
    kinds: frozenset[str] = frozenset()
    starts: int = 0

    def start(self, kinds: frozenset[str]) -> None:
        self.kinds, self.starts = kinds, self.starts + 1
        self.tell()

    async def stop(self, seconds: float | None = None) -> None:
        self.kinds = frozenset()

    async def ended(self, seconds: float) -> bool:
        await asyncio.sleep(seconds if self.kinds else 0)
        return not self.kinds


@dataclass
class Scene:
    """A supervisor among fakes, with the store and the queue of the product."""

    api: Api = field(default_factory=Api)
    store: Store = field(default_factory=Store)
    tells: bool = True
    looked: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watches = Watches(self.tell)
        self.queue: WorkQueue[Key] = WorkQueue(self.look, workers=1)

    def tell(self) -> None:
        if self.tells and self.api.trainings:
            self.store.feed(group.KIND, JUDGE)

    async def look(self, key: Key) -> None:
        self.looked.append(key)

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[Supervisor]:
        settings = Settings(default_image="i", probe_seconds=PROBE_SECONDS)
        parts: dict[str, Any] = {"cluster": self.api, "watching": self.watches, "settings": settings}
        one = Supervisor(store=self.store, queue=self.queue, **parts)
        tasks = [asyncio.create_task(self.queue.run()), asyncio.create_task(one.run())]
        yield one
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_START_SECONDS", "_SYNC_SECONDS", "_RESTART_SECONDS"):
        monkeypatch.setattr(supervisor, name, 0.01)


async def test_a_start_that_does_not_get_level_is_begun_anew() -> None:
    scene = Scene(Api(trainings=[Identity("demo", "judge", "u")]), tells=False)
    async with scene.supervised() as one:
        await until(lambda: scene.watches.starts > 1)
        assert not one.is_level
        assert scene.looked == []
        scene.tells = True
        await until(lambda: scene.looked)
        assert one.is_level


async def test_a_crd_that_was_deleted_is_probed_for_and_not_asked_for_in_a_tight_loop() -> None:
    scene = Scene(Api(trainings=[Identity("demo", "judge", "u")]))
    async with scene.supervised() as one:
        await until(lambda: one.is_level and scene.looked)
        scene.api.has_crd, scene.api.trainings, asked = False, [], scene.api.asked
        await scene.watches.stop()
        await until(lambda: scene.api.asked > asked)
        scene.looked.clear()
        scene.queue.add(Key("demo", "judge"))
        asked = scene.api.asked
        await asyncio.sleep(4 * PROBE_SECONDS)
        assert scene.api.asked - asked <= 40
        assert scene.looked == [], "nothing is worked on while nothing is watched"
        scene.api.has_crd, scene.api.trainings = True, [Identity("demo", "judge", "u")]
        await until(lambda: one.is_level and scene.looked)
