"""What networks and busy servers do between the operator and its API server, and between it and Ray.

The operator is pointed at proxies; people, KubeRay and the trainer are not.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.pki import KeyPair
from rrm_test_cluster.rig.fault_proxy import FaultProxy, fault_proxy, point_to
from rrm_test_cluster.rig.operator_process import ACCOUNT
from rrm_test_cluster.rig.request_faults import Fault, Kind, Match, any_request, writes
from tests.e2e.operator.outages import every, jerking, stopped

pytestmark = pytest.mark.fakenodes

MADE_ONCE = {"persistentvolumeclaims": 1, "secrets": 1, "rayclusters": 1, "jobs": 2}
"""A whole life: one volume, one token, one RayCluster, a prepare and an export Job."""
WATCH_BAR_SECONDS = 90
STORM_SECONDS = 20.0
OUTAGE_SECONDS = 60.0
MOST_REQUESTS_A_SECOND = 3
"""Of an operator with one training, all of whose requests fail."""


@dataclass(frozen=True)
class Between:
    """An operator whose way to the API server and to Ray is ours.

    Attributes:
        world: Namespace and operator.
        api: What is between it and the API server.
        jobs: What is between it and Ray.
        stages: Every stage that a look has seen, in order.
    """

    world: Any
    api: FaultProxy
    jobs: FaultProxy
    stages: list[str] = field(default_factory=list)

    def look(self, name: str) -> str:
        """Return the stage of a training, and note it."""
        stage = str(self.world.status(name).get("stage"))
        self.stages.append(stage)
        return stage

    def watch_for(self, name: str, seconds: float) -> None:
        """Look at a training for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look(name)
            time.sleep(1)

    def made(self) -> dict[str, int]:
        """Return how many objects of each kind the operator really made."""
        asked = self.world.operator.asked()
        created = Counter(it.resource for it in asked if it.verb == "create" and it.code == 201)
        return {kind: created[kind] for kind in MADE_ONCE}

    def must_be_unharmed(self, name: str) -> None:
        """Check that nothing was taken for the end of an attempt."""
        assert not {"Failed", "Stalled", "BackingOff"} & set(self.stages)
        (attempt,) = self.world.status(name)["attempts"]
        assert attempt["number"] == 1
        assert len(self.world.ray.submitted) == 1


@pytest.fixture
def between(make_world: Any, fake_nodes_cluster: Cluster, ray: Any) -> Iterator[Between]:
    """An operator that runs behind two proxies."""
    pki = fake_nodes_cluster.folder / "pki"
    shown = KeyPair(pki / "apiserver.crt", pki / "apiserver.key")
    with (
        fault_proxy(fake_nodes_cluster.server, shown=shown, authority=pki / "ca.crt") as api,
        fault_proxy(f"http://127.0.0.1:{ray.port}") as jobs,
    ):
        world = make_world(fake_nodes_cluster, ray_url=jobs.url + "/{namespace}/{cluster}")
        # Written by `install`; only its address changes.
        point_to(fake_nodes_cluster.folder / f"{world.operator.namespace}.{ACCOUNT}.kubeconfig", api.url)
        world.operator.start()
        yield Between(world, api, jobs)
        world.operator.close()


def training(between: Between, manifest: Any, **spec: Any) -> Any:
    """Bring a training to its third step."""
    judge = between.world.apply(manifest("judge", **spec))
    judge.prepared()
    between.world.until("a submission", lambda: between.world.ray.submitted, seconds=240)
    judge.progress(1, step=3)
    between.world.stage("judge", "Training", seconds=120)
    return judge


def finish(between: Between, judge: Any) -> None:
    judge.trained()
    between.world.stage("judge", "Exporting", seconds=240)
    judge.exported()
    between.world.stage("judge", "Succeeded", seconds=120)


def test_liveness_goes_red_when_own_writes_are_never_heard_of_again(between: Between, manifest: Any) -> None:
    """Everything but the trainings is seen, so that there is something to write."""
    judge = training(between, manifest)
    between.api.requests.add(Fault(Kind.HOLD, reads_trainings))
    mute = time.monotonic()
    judge.trained()
    alive = between.world.operator
    between.world.until("red", lambda: alive.get("/healthz") is None, seconds=2 * WATCH_BAR_SECONDS)
    print(f"own write unheard of -> red: {time.monotonic() - mute:.0f} s")

    between.api.requests.clear()
    between.world.until("green", lambda: alive.get("/healthz") is not None, seconds=2 * WATCH_BAR_SECONDS)
    finish(between, judge)


def reads_trainings(method: str, path: str) -> bool:
    return method == "GET" and "/rewardmodeltrainings?" in path


def test_answers_that_are_lost_in_the_middle_of_writes_let_nothing_be_done_twice(
    between: Between, manifest: Any
) -> None:
    lost = between.api.requests.add(Fault(Kind.LOSE, first_writes()))
    jobs = between.jobs.requests.add(Fault(Kind.LOSE, first_writes()))

    judge = training(between, manifest)
    finish(between, judge)

    print(f"lost {lost.hits} answers of the API server and {jobs.hits} of Ray")
    assert lost.hits > len(MADE_ONCE)
    assert between.made() == MADE_ONCE
    between.must_be_unharmed("judge")


def test_resets_again_and_again_let_nothing_be_done_twice(between: Between, manifest: Any) -> None:
    judge = between.world.apply(manifest("judge"))
    with every(1.5, between.api.reset), every(1.5, between.jobs.reset):
        judge.prepared()
        between.world.until("a submission", lambda: between.world.ray.submitted, seconds=240)
        judge.progress(1, step=3)
        between.world.stage("judge", "Training", seconds=120)
        finish(between, judge)
    assert between.made() == MADE_ONCE
    between.must_be_unharmed("judge")


@pytest.mark.parametrize(("status", "share"), [(429, 1.0), (500, 0.5)])
def test_a_storm_of_refusals_is_waited_out_and_never_a_failure(
    between: Between, manifest: Any, status: int, share: float
) -> None:
    judge = training(between, manifest)
    for proxy in (between.api, between.jobs):
        proxy.requests.add(Fault(Kind.ANSWER, any_request, share=share, status=status))
    storm = time.monotonic()
    judge.trained()
    between.watch_for("judge", STORM_SECONDS)
    asked = len(between.api.requests.passed(since=storm)) + len(between.jobs.requests.passed(since=storm))
    for proxy in (between.api, between.jobs):
        proxy.requests.clear()

    finish(between, judge)
    print(f"{asked} requests in {STORM_SECONDS:.0f} s of storm")
    assert 0 < asked <= STORM_SECONDS * MOST_REQUESTS_A_SECOND
    between.must_be_unharmed("judge")


def test_a_storm_from_the_beginning_delays_a_training_and_no_more(between: Between, manifest: Any) -> None:
    for status in (429, 500):
        between.api.requests.add(Fault(Kind.ANSWER, any_request, share=0.1, status=status))
        between.jobs.requests.add(Fault(Kind.ANSWER, any_request, share=0.1, status=status))
    judge = training(between, manifest)
    finish(between, judge)
    assert between.made() == MADE_ONCE
    between.must_be_unharmed("judge")


def test_an_api_server_that_takes_two_seconds_for_everything_is_enough(
    between: Between, manifest: Any
) -> None:
    between.api.requests.add(Fault(Kind.DELAY, any_request, seconds=2.0))
    started = time.monotonic()
    judge = training(between, manifest)
    finish(between, judge)
    print(f"a whole life with 2 s for each answer: {time.monotonic() - started:.0f} s")
    assert between.made() == MADE_ONCE
    between.must_be_unharmed("judge")


@pytest.mark.long
def test_a_ray_that_is_frozen_is_no_lost_ray(between: Between, manifest: Any) -> None:
    """The trainer's reports go on for half of the time; then nobody tells anything."""
    judge = training(between, manifest)
    between.jobs.freeze()
    judge.progress(1, step=4)
    between.watch_for("judge", OUTAGE_SECONDS)
    judge.progress(1, step=5)
    between.watch_for("judge", 2)
    between.jobs.thaw()
    finish(between, judge)
    between.must_be_unharmed("judge")


def test_a_ray_that_cannot_be_reached_at_first_gets_its_job_once(between: Between, manifest: Any) -> None:
    between.jobs.refuse()
    judge = between.world.apply(manifest("judge"))
    judge.prepared()
    between.world.stage("judge", "Starting", seconds=120)
    between.watch_for("judge", 15)
    assert between.world.ray.submitted == []

    between.jobs.refuse(on=False)
    between.world.until("a submission", lambda: between.world.ray.submitted, seconds=60)
    judge.progress(1, step=3)
    between.world.stage("judge", "Training")
    between.must_be_unharmed("judge")


def test_a_submission_that_arrived_and_whose_answer_is_lost_is_the_only_one(
    between: Between, manifest: Any
) -> None:
    lost = between.jobs.requests.add(Fault(Kind.LOSE, writes, times=3))
    judge = training(between, manifest)
    assert lost.hits >= 1
    between.must_be_unharmed("judge")
    finish(between, judge)


def test_an_api_server_that_is_gone_for_a_minute_costs_a_training_nothing(
    between: Between, manifest: Any
) -> None:
    judge = training(between, manifest)
    with stopped(between.world.cluster, "kube-apiserver"):
        time.sleep(OUTAGE_SECONDS)
    judge.progress(1, step=4)
    back = time.monotonic()
    between.world.until("the step", lambda: between.world.status("judge")["progress"]["step"] == 4)
    print(f"API server back -> its news acted upon: {time.monotonic() - back:.0f} s")
    finish(between, judge)
    between.must_be_unharmed("judge")


def test_an_etcd_that_answers_in_jerks_costs_a_training_nothing(between: Between, manifest: Any) -> None:
    judge = training(between, manifest)
    with jerking(between.world.cluster, "etcd"):
        for step in range(4, 8):
            judge.progress(1, step=step)
            between.watch_for("judge", 4)
        finish(between, judge)
    between.must_be_unharmed("judge")


def first_writes() -> Match:
    """Match the first write to each place."""
    seen: set[tuple[str, str]] = set()

    def is_first(method: str, path: str) -> bool:
        place = (method, path.partition("?")[0])
        is_new = writes(method, path) and place not in seen
        seen.add(place)
        return is_new

    return is_first
