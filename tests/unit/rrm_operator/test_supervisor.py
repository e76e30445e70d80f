"""The supervisor comes back by itself: from a stuck start, and when kinds and namespaces come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from rrm_api import group
from rrm_operator import supervisor
from rrm_operator.errors import Conflict, Forbidden
from rrm_operator.facts import Key
from rrm_operator.feeding import Feeding, Watchers
from rrm_operator.freshness import Freshness
from rrm_operator.kubernetes_cluster import TRAININGS
from rrm_operator.logs import Masks
from rrm_operator.rights import Resource
from rrm_operator.scope import Scope
from rrm_operator.settings import Settings
from rrm_operator.store import Identity, Store
from rrm_operator.supervisor import Supervisor
from rrm_operator.telemetry import Telemetry
from rrm_operator.work_queue import WorkQueue

PROBE_SECONDS = 0.05
JUDGES = [Identity("here", "judge", "u1"), Identity("there", "judge", "u2")]
HERE, THERE = Key("here", "judge"), Key("there", "judge")


@dataclass
class Api:
    """An API server that knows kinds and names."""

    has_crd: bool = True
    trainings: list[Identity] = field(default_factory=list)
    asked: int = 0
    refused: set[str | None] = field(default_factory=set)
    lists: bool = True

    async def may_list(self, kind: str, namespace: str | None) -> bool:
        return namespace not in self.refused

    async def serves(self, resource: Resource) -> bool:
        self.asked += 1
        return self.has_crd or resource is not TRAININGS

    async def list_identities(self, kind: str, namespace: str | None) -> list[Identity]:
        if namespace in self.refused:
            raise Forbidden(f"no rights in {namespace}", terminating=False)
        if not self.lists:
            raise Conflict(f"HTTP 404: the API server does not know {kind}")
        everywhere = self.trainings if kind == group.KIND else []
        return [it for it in everywhere if namespace in (None, it.namespace)]


@dataclass
class Watches:
    """Watches that end when they are told to, or when their kind is gone."""

    tell: Callable[[], None]
    scope: Scope | None = None
    starts: int = 0

    def start(self, scope: Scope) -> None:
        self.scope, self.starts = scope, self.starts + 1
        self.tell()

    async def stop(self, seconds: float | None = None) -> None:
        self.scope = None

    async def ended(self, seconds: float) -> bool:
        await asyncio.sleep(seconds if self.scope else 0)
        return not self.scope


@dataclass
class Scene:
    """A supervisor among fakes, with the store and the queue of the product."""

    api: Api = field(default_factory=Api)
    store: Store = field(default_factory=Store)
    tells: bool = True
    looked: list[Key] = field(default_factory=list)
    namespaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.watches = Watches(self.tell)
        self.queue: WorkQueue[Key] = WorkQueue(self.look, workers=1)
        self.feeding = Feeding(self.store, self.queue, Watchers(Freshness(), Telemetry(), Masks()))

    def tell(self) -> None:
        places = self.watches.scope.places if self.watches.scope else ()
        for one in self.api.trainings:
            if self.tells and (None in places or one.namespace in places):
                metadata = {"namespace": one.namespace, "name": one.name, "uid": one.uid}
                self.feeding.feed(group.KIND, {"metadata": metadata}, False)

    async def look(self, key: Key) -> None:
        self.looked.append(key)

    @asynccontextmanager
    async def supervised(self, *, leads: bool = True) -> AsyncIterator[Supervisor]:
        settings = Settings(
            default_image="i",
            probe_seconds=PROBE_SECONDS,
            relist_seconds=PROBE_SECONDS,
            watched_namespaces=self.namespaces,
        )
        parts: dict[str, Any] = {"cluster": self.api, "watching": self.watches, "settings": settings}
        one = Supervisor(feeding=self.feeding, **parts)
        if leads:
            one.lead()
        tasks = [asyncio.create_task(self.queue.run()), asyncio.create_task(one.run())]
        yield one
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def served(scene: Scene) -> list[str]:
    return list(scene.watches.scope.namespaces) if scene.watches.scope else []


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


async def test_a_namespace_without_rights_is_left_out_said_once_and_served_when_it_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(Api(trainings=JUDGES, refused={"there"}), namespaces=("here", "there"))
    async with scene.supervised() as one:
        await until(lambda: one.is_level and scene.looked)
        assert served(scene) == ["here"]
        await asyncio.sleep(4 * PROBE_SECONDS)
        assert set(scene.looked) == {HERE}
        assert [it.namespace for it in caplog.records if "left out" in it.message] == ["there"]  # type: ignore[attr-defined]
        assert scene.watches.starts == 1, "the others are watched on"
        scene.api.refused.clear()
        await until(lambda: THERE in scene.looked)
        assert one.is_level
        assert served(scene) == ["here", "there"]


async def test_a_namespace_that_goes_is_left_out_and_its_trainings_are_forgotten() -> None:
    scene = Scene(Api(trainings=JUDGES), namespaces=("here", "there"))
    async with scene.supervised() as one:
        await until(lambda: one.is_level and len(set(scene.looked)) == 2)
        scene.api.refused.add("there")
        await until(lambda: scene.store.keys() == {HERE})
        await until(lambda: one.is_level)
        scene.looked.clear()
        scene.queue.add(HERE)
        await until(lambda: HERE in scene.looked)


async def test_without_any_rights_nothing_is_watched_and_the_process_waits_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(Api(trainings=JUDGES, refused={None}))
    async with scene.supervised() as one:
        await until(lambda: [it for it in caplog.records if "left out" in it.message])
        await asyncio.sleep(4 * PROBE_SECONDS)
        assert (one.is_level, scene.watches.starts) == (False, 0)
        scene.api.refused.clear()
        await until(lambda: one.is_level and scene.looked)


async def test_nothing_is_asked_for_while_all_that_is_wanted_is_watched() -> None:
    scene = Scene(Api(trainings=JUDGES), namespaces=("here", "there"))
    async with scene.supervised() as one:
        await until(lambda: one.is_level and scene.looked)
        asked = scene.api.asked
        await asyncio.sleep(4 * PROBE_SECONDS)
        assert scene.api.asked == asked


async def test_watching_anew_does_not_wait_for_the_echo_of_what_was_written_before() -> None:
    scene = Scene(Api(trainings=JUDGES))
    freshness = scene.feeding.watchers.freshness
    async with scene.supervised() as one:
        await until(lambda: one.is_level)
        with freshness.writing(HERE, "1") as write:
            write.answered("2")
        assert freshness.age() > 0
        await scene.watches.stop()
        await until(lambda: freshness.age() == 0)


async def test_a_kind_that_vanishes_while_it_is_listed_does_not_hold_up_the_supervisor() -> None:
    scene = Scene(Api(trainings=JUDGES))
    async with scene.supervised() as one:
        await until(lambda: one.is_level)
        scene.api.lists = False
        await until(lambda: not one.is_level)
        scene.api.has_crd, asked = False, scene.api.asked
        await until(lambda: scene.api.asked > asked)


async def test_what_is_gone_before_an_event_told_of_it_holds_up_no_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "_START_SECONDS", 10.0)
    scene = Scene(Api(trainings=JUDGES), tells=False)
    async with scene.supervised() as one:
        await until(lambda: scene.watches.starts)
        await asyncio.sleep(PROBE_SECONDS)
        assert not one.is_level
        scene.api.trainings = []
        await until(lambda: one.is_level)
        assert scene.watches.starts == 1


async def test_who_stands_by_keeps_its_store_true_and_looks_at_nothing() -> None:
    scene = Scene(Api(trainings=JUDGES))
    async with scene.supervised(leads=False) as one:
        await until(lambda: one.is_level)
        assert scene.store.keys() == {HERE, THERE}
        scene.api.trainings = JUDGES[:1]
        await until(lambda: scene.store.keys() == {HERE})
        assert (scene.looked, len(scene.queue)) == ([], 0)


async def test_who_stood_by_begins_with_what_it_knows() -> None:
    scene = Scene(Api(trainings=JUDGES))
    async with scene.supervised(leads=False) as one:
        await until(lambda: one.is_level)
        one.lead()
        assert not one.is_level, "it does not work yet"
        await until(lambda: set(scene.looked) == {HERE, THERE})
        assert one.is_level
        assert scene.watches.starts == 1, "nothing is listed anew"


async def test_who_takes_over_waits_for_what_the_one_before_has_made_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "_SILENCE_SECONDS", 10.0)
    scene = Scene(Api(trainings=JUDGES[:1]))
    async with scene.supervised(leads=False) as one:
        await until(lambda: one.is_level)
        scene.api.trainings = JUDGES
        one.lead()
        await asyncio.sleep(4 * PROBE_SECONDS)
        assert scene.looked == []
        scene.tell()
        await until(lambda: set(scene.looked) == {HERE, THERE})


async def test_who_is_to_lead_while_it_gets_level_lists_once_more_before_it_works() -> None:
    scene = Scene(Api(trainings=JUDGES))
    async with scene.supervised(leads=False) as one:
        await until(lambda: scene.watches.starts)
        one.lead()
        await until(lambda: set(scene.looked) == {HERE, THERE})
        assert scene.watches.starts == 1
