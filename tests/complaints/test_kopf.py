"""Group g: operators written in Python, with kopf."""

import asyncio
import copy
import json
import urllib.request
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from rrm_api import group
from rrm_operator import patience, supervisor
from rrm_operator.api_server import Answer, Request
from rrm_operator.errors import ClusterUnavailable, Conflict
from rrm_operator.facts import Key, Kind
from rrm_operator.freshness import Freshness
from rrm_operator.handlers import Worker
from rrm_operator.health import health_server
from rrm_operator.lease import Lease, LeaseLost
from rrm_operator.lease_rules import Timing
from rrm_operator.rights import WATCHED
from rrm_operator.settings import Settings
from rrm_operator.store import Identity
from rrm_operator.watching import kopf_settings
from rrm_operator.work_queue import Backoff, WorkQueue
from tests.complaints import lives
from tests.complaints.test_packaging import verbs_on
from tests.unit.rrm_operator.test_supervisor import Api, Scene, until

JUDGE = Identity("demo", "judge", "u")
SETTINGS = Settings(default_image="i")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the supervisor wait for moments only."""
    for name in ("_START_SECONDS", "_SYNC_SECONDS", "_RESTART_SECONDS", "_SILENCE_SECONDS"):
        monkeypatch.setattr(supervisor, name, 0.01)


@pytest.mark.usefixtures("impatient")
async def test_kopf_585_a_watch_that_fell_silent_is_found_out_and_begun_anew() -> None:
    """A watch falls silent after hours: nothing is seen any more, and liveness stays green."""
    scene = Scene(Api(trainings=[JUDGE]))
    async with scene.supervised() as one:
        await until(lambda: one.is_level)
        starts, scene.tells = scene.watches.starts, False
        scene.api.trainings = [JUDGE, Identity("demo", "second", "v")]
        await until(lambda: scene.watches.starts > starts)
        scene.tells = True
        await until(lambda: Key("demo", "second") in scene.looked)


def test_kopf_585_liveness_goes_red_when_own_writes_do_not_come_back() -> None:
    """A watch falls silent after hours: nothing is seen any more, and liveness stays green."""
    now = [0.0]
    freshness, judge = Freshness(clock=lambda: now[0]), Key("demo", "judge")
    with freshness.writing(judge, "1") as write:
        write.answered("2")
    now[0] = 60
    assert freshness.is_fresh()
    now[0] = 91
    assert not freshness.is_fresh(), "Kubernetes restarts the pod"
    freshness.saw(judge, "2")
    assert freshness.is_fresh()


def test_dask_kubernetes_620_every_watch_has_an_end() -> None:
    """Watches without time limits froze; both projects were cured by setting them."""
    watching = kopf_settings(SETTINGS, frozenset(WATCHED)).watching
    assert watching.server_timeout is not None
    assert watching.client_timeout is not None
    assert watching.inactivity_timeout is not None
    assert watching.server_timeout <= watching.client_timeout <= 3600
    assert watching.inactivity_timeout <= 90


async def test_kopf_698_a_stale_view_does_nothing_twice(operator: Any) -> None:
    """After its own patch a handler sees the object as it was, and handles it again, or misses it."""
    world = await lives.live_until_provisioning(operator)
    world.cluster_becomes_ready()
    world.lags = True
    await operator.look()
    with pytest.raises(Conflict):
        await operator.look()
    world.catch_up()
    await operator.settle()
    assert lives.submitted(world) == ["0a1b2c3d-a1"]
    assert [it["number"] for it in world.status["attempts"]] == [1]


@pytest.mark.usefixtures("impatient")
async def test_kopf_787_a_watch_that_died_is_begun_anew() -> None:
    """A watch dies of an error and nobody starts it again."""
    scene = Scene(Api(trainings=[JUDGE]))
    async with scene.supervised() as one:
        await until(lambda: one.is_level)
        starts = scene.watches.starts
        await scene.watches.stop()
        await until(lambda: scene.watches.starts > starts and one.is_level)


def test_kopf_734_there_is_no_peering_to_freeze() -> None:
    """Two operators of the same priority see each other and both freeze."""
    import inspect

    from rrm_operator.watching import Watching

    assert "standalone=True" in inspect.getsource(Watching)


def test_kopf_1087_nothing_is_ever_written_into_a_training(operator: Any) -> None:
    """The copy of the last handled state outgrows the limit of annotations; not even deletion works."""
    assert verbs_on("rewardmodeltrainings") == {"list", "watch"}
    settings = kopf_settings(SETTINGS, frozenset(WATCHED))
    assert settings.persistence.diffbase_storage.build(body=operator.world.training) == {}


async def test_kopf_833_no_finalizer_keeps_anything_from_being_deleted(operator: Any) -> None:
    """The operator is gone first, and its finalizer keeps the namespace for ever."""
    world = await lives.live_until_training(operator)
    with_finalizers = [key for key, it in world.planned.items() if "finalizers" in it["metadata"]]
    assert with_finalizers == []
    assert "finalizers" not in world.training["metadata"]
    kinds = {kind for kind, it in world.planned.items() if not it["metadata"].get("ownerReferences")}
    assert {kind for kind, _ in kinds} == {Kind.PERSISTENT_VOLUME_CLAIM}


async def test_kopf_990_metrics_are_served() -> None:
    """There is no endpoint for metrics."""
    settings = Settings(default_image="i", http_address="127.0.0.1", http_port=0)
    async with health_server(settings, is_alive=lambda: True, is_ready=lambda: True) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read().decode())
    assert "rrm_reconciles_total" in text
    assert "rrm_queue_length" in text


async def test_dask_kubernetes_810_what_fails_for_ever_is_tried_less_and_less() -> None:
    """A dead handler is tried again 40,000 times."""

    async def fails(_: Key) -> None:
        raise ValueError("a bug")

    worker = Worker(fails, chance=lambda: 0.0)
    delays = [await worker.look(Key("demo", "judge")) or 0.0 for _ in range(20)]
    assert delays == sorted(delays)
    assert delays[-1] >= 150
    assert sum(delays) > 1500, "seconds that 20 tries last"


async def test_dask_kubernetes_603_a_lost_child_is_seen_whatever_event_was_missed(operator: Any) -> None:
    """A worker or scheduler that is lost is never made again: handlers wait for an edge."""
    world = await lives.live_until_training(operator, saved=2)
    world.lags = True
    for name in world.pods(lives.CLUSTER):
        world.remove(Kind.POD, name)
    world.remove(Kind.RAY_CLUSTER, lives.CLUSTER)
    world._late, world.lags = [], False
    for kind in (Kind.POD, Kind.RAY_CLUSTER):
        world.store.sweep(kind, frozenset(), until=world.store.order)
    operator.restart()
    await lives.next_attempt(operator, 2)
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]


async def test_kopf_old_248_an_api_server_that_is_away_at_the_start_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the API server out of reach at its start, the operator stalls."""
    monkeypatch.setattr(patience, "_PATIENCE", Backoff(0.001, 0.01))
    answers: list[Any] = [ClusterUnavailable("refused")] * 5 + [frozenset({group.KIND})]

    async def ask() -> frozenset[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return frozenset(answer)

    assert await patience.patiently(ask) == {group.KIND}


async def test_kopf_old_239_ending_waits_for_a_look_and_not_for_ever() -> None:
    """To stop takes more than 45 s."""
    begun = asyncio.Event()

    async def hangs(_: str) -> None:
        begun.set()
        await asyncio.sleep(60)

    queue = WorkQueue(hangs, workers=1)
    queue.open()
    running = asyncio.create_task(queue.run())
    queue.add("judge")
    await begun.wait()
    async with asyncio.timeout(5):
        await queue.drain(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@dataclass
class LeaseServer:
    """An API server that keeps one Lease and lets nobody write over a version it has not seen."""

    lease: dict[str, Any] | None = None
    is_cut_off: set[str] = field(default_factory=set)
    version: int = 0

    def server_of(self, name: str) -> Any:
        return SimpleNamespace(send=partial(self.send, name))

    async def send(self, name: str, request: Request) -> Answer:
        if name in self.is_cut_off:
            raise ClusterUnavailable("no route")
        if request.method == "GET":
            return Answer(404, "") if self.lease is None else Answer(200, json.dumps(self.lease))
        body = copy.deepcopy(request.body)
        assert body is not None
        seen = body["metadata"].get("resourceVersion")
        current = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if seen != current:
            return Answer(409, "{}")
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self.lease = body
        return Answer(200, json.dumps(body))

    def gate(self, name: str) -> Lease:
        timing = Timing(0.5)
        return Lease(self.server_of(name), namespace="rrm", name="rrm", identity=name, timing=timing)


async def test_kopf_1266_a_replica_that_waits_does_nothing() -> None:
    """Three replicas with peering: those that are paused act all the same, and timers go on."""
    api = LeaseServer()
    first, second = api.gate("first"), api.gate("second")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    keeping = asyncio.create_task(first.keep())
    await asyncio.sleep(0.7)
    assert (first.is_held(), second.is_held(), second.is_waiting()) == (True, False, True)
    api.is_cut_off.add("first")
    with pytest.raises(LeaseLost):
        await keeping
    assert not waiting.done(), "who is cut off gives up before another one may begin"
    assert not first.is_held()
    async with asyncio.timeout(10):
        await waiting
    assert second.is_held()
