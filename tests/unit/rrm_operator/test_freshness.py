"""An own write that does not come back turns the process red, and nothing else does."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubernetes.aio.client.configuration import Configuration

from rrm_operator.api_server import Answer, ApiServer, Request, error_of
from rrm_operator.errors import ClusterUnavailable, Conflict
from rrm_operator.facts import Key
from rrm_operator.feeding import Feeding, Watchers
from rrm_operator.freshness import ECHO_SECONDS, Freshness
from rrm_operator.kubernetes_cluster import KubernetesCluster
from rrm_operator.logs import Masks
from rrm_operator.settings import Settings
from rrm_operator.store import Store
from rrm_operator.telemetry import Telemetry
from rrm_operator.watching import LIST_BACKOFFS, kopf_settings
from rrm_operator.work_queue import WorkQueue

KEY, OTHER = Key("demo", "judge"), Key("demo", "other")
Story = Callable[[Freshness], object]


def write(freshness: Freshness, sent: str | None, answer: str | None, *meanwhile: str) -> object:
    with freshness.writing(KEY, sent) as one:
        for version in meanwhile:
            freshness.saw(KEY, version)
        one.answered(answer)
    return one


def refused(freshness: Freshness) -> None:
    with freshness.writing(KEY, "1"):
        pass


@pytest.mark.parametrize(
    ("story", "fresh"),
    [
        pytest.param(lambda it: write(it, "1", "2"), False, id="nothing came back"),
        pytest.param(lambda it: (write(it, "1", "2"), it.saw(KEY, "2")), True, id="it came back"),
        pytest.param(lambda it: (write(it, "1", "2"), it.saw(KEY, "9")), True, id="a later one came"),
        pytest.param(lambda it: write(it, "1", "2", "2"), True, id="it came before the answer"),
        pytest.param(lambda it: write(it, "1", "2", "3"), True, id="a later one came before the answer"),
        pytest.param(lambda it: write(it, "1", "2", "1"), False, id="only the old one came meanwhile"),
        pytest.param(lambda it: write(it, "1", "1"), True, id="a patch that changed nothing"),
        pytest.param(lambda it: write(it, None, "2"), True, id="a write on any version"),
        pytest.param(refused, True, id="a refused write"),
        pytest.param(lambda it: (write(it, "1", "2"), it.forget(KEY)), True, id="deleted since"),
        pytest.param(lambda it: (write(it, "1", "2"), it.saw(OTHER, "3")), False, id="another one came"),
        pytest.param(lambda it: (write(it, "1", "2"), it.begin_anew()), True, id="watching began anew"),
    ],
)
def test_only_a_write_that_no_event_tells_of_is_stale(story: Story, fresh: bool) -> None:
    now = [100.0]
    freshness = Freshness(clock=lambda: now[0])
    story(freshness)
    assert freshness.is_fresh()
    now[0] += ECHO_SECONDS
    assert freshness.is_fresh() is fresh


def test_the_oldest_write_decides_and_later_ones_do_not_make_it_younger() -> None:
    now = [100.0]
    freshness = Freshness(clock=lambda: now[0])
    assert freshness.age() == 0
    write(freshness, "1", "2")
    now[0] += 50
    write(freshness, "2", "3")
    assert freshness.age() == 50
    freshness.saw(KEY, "3")
    assert freshness.age() == 0


def test_a_silent_watch_is_begun_anew_before_the_process_turns_red() -> None:
    settings = kopf_settings(Settings(default_image="i"), frozenset())
    silence = settings.watching.inactivity_timeout
    assert silence is not None
    assert 60 < silence < ECHO_SECONDS - max(LIST_BACKOFFS), "the API server speaks each minute"
    assert settings.networking.error_backoffs == LIST_BACKOFFS


@dataclass
class Server:
    """Answers with one status and body."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(self.status, json.dumps(self.body))

    async def ask(self, request: Request) -> dict[str, Any]:
        answer = await self.send(request)
        if answer.status < 300:
            return answer.json()
        raise error_of(request, answer)


async def test_a_status_that_was_written_is_waited_for_and_one_that_was_refused_is_not() -> None:
    now = [0.0]
    freshness = Freshness(clock=lambda: now[0])
    written = KubernetesCluster(Server(200, {"metadata": {"resourceVersion": "8"}}), freshness)  # type: ignore[arg-type]
    refused_ = KubernetesCluster(Server(409), freshness)  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        await refused_.patch_status(KEY, {}, resource_version="7")
    now[0] = 5.0
    assert freshness.age() == 0
    await written.patch_status(KEY, {}, resource_version="7")
    now[0] = 9.0
    assert freshness.age() == 4
    await written.patch_status(OTHER, {}, resource_version="8")
    freshness.saw(KEY, "8")
    assert freshness.age() == 0


async def test_an_event_feeds_store_queue_and_all_that_follow_it() -> None:
    store, looked, waits = Store(), asyncio.Event(), list[float]()

    async def look(_: Key) -> None:
        looked.set()

    queue: WorkQueue[Key] = WorkQueue(look, workers=1, waited=waits.append)
    queue.open()
    watchers = Watchers(Freshness(), Telemetry(), Masks())
    feeding = Feeding(store, queue, watchers)
    with watchers.freshness.writing(KEY, "1") as one:
        one.answered("2")
    assert watchers.freshness.age() > 0
    metadata = {"namespace": "demo", "name": "judge", "uid": "u", "generation": 1, "resourceVersion": "2"}
    manifest = {"metadata": metadata, "spec": {"env": [{"name": "A", "value": "a long value"}]}}
    feeding.feed("RewardModelTraining", manifest, False)
    assert watchers.freshness.age() == 0
    assert watchers.masks.masked("a long value") == "***"
    running = asyncio.create_task(queue.run())
    await asyncio.wait_for(looked.wait(), 5)
    running.cancel()
    (wait,) = waits
    assert wait >= 0
    feeding.feed("RewardModelTraining", manifest, True)
    assert store.keys() == frozenset()
    assert watchers.masks.masked("a long value") == "a long value"


@pytest.mark.parametrize(("status", "may"), [(200, True), (403, False)])
async def test_rights_in_a_namespace_are_asked_for_by_a_list_of_one(status: int, may: bool) -> None:
    server = Server(status, {"items": []})
    assert await KubernetesCluster(server).may_list("Job", "there") is may  # type: ignore[arg-type]
    (request,) = server.asked
    assert request.path == "/apis/batch/v1/namespaces/there/jobs"
    assert ("limit", "1") in request.query


async def test_who_lost_the_lease_may_read_but_writes_nothing() -> None:
    configuration = Configuration()
    configuration.host = "http://127.0.0.1:9"
    async with ApiServer(configuration, timeout_seconds=1, may_write=lambda: False) as server:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(ClusterUnavailable, match="the lease ran out"):
                await server.send(Request(method, "/api/v1/namespaces/demo/pods"))
        with pytest.raises(ClusterUnavailable, match="expected an answer"):
            await server.send(Request("GET", "/api/v1/namespaces/demo/pods"))


@pytest.mark.parametrize("forget", [lambda it: it.forget(KEY), lambda it: it.begin_anew()])
def test_a_write_whose_answer_comes_after_the_training_is_gone_waits_for_no_event(forget: Story) -> None:
    freshness = Freshness()
    with freshness.writing(KEY, "1") as one:
        forget(freshness)
        one.answered("2")
    assert freshness.age() == 0
