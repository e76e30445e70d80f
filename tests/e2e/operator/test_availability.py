"""Two operators beside a real API server: one works, the other takes over; and what comes late is waited for.

There are no controllers on this level, so a training comes as far as its RayCluster.
"""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.pki import KeyPair
from rrm_test_cluster.rig.fault_proxy import fault_proxy, point_to
from rrm_test_cluster.rig.operator_process import (
    ACCOUNT,
    LEASE,
    OperatorProcess,
    chart_rules,
    role_objects,
)
from rrm_test_cluster.rig.trainer_stand_in import TrainerStandIn
from tests.e2e.operator.outages import stopped

pytestmark = pytest.mark.api

MADE_ONCE = {"persistentvolumeclaims": 1, "secrets": 1, "rayclusters": 1, "jobs": 1}
"""Up to Provisioning: one volume, one token, one RayCluster, a prepare Job."""
TAKEOVER_BAR_SECONDS = 20
STOP_BAR_SECONDS = 10
ECHO_BAR_SECONDS = 90
LEASE_LOST = 3


@pytest.fixture
def pair(
    make_world: Any, api_cluster: Cluster, tmp_path: Path
) -> Iterator[tuple[Any, list[OperatorProcess]]]:
    """A world, and two operators of the same account that are not started."""
    api_cluster.install_kuberay_crds()
    world = make_world(api_cluster, leader_election="true")
    first = world.operator
    second = OperatorProcess(api_cluster, tmp_path / "second", first.namespace, first.settings)
    second.install()
    yield world, [first, second]
    second.close()


def waited(holds: Callable[[], object], what: str, *, seconds: float = 60) -> float:
    """Wait until something holds; return how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


def leader_of(operators: list[OperatorProcess]) -> OperatorProcess | None:
    leading = [it for it in operators if it.leads()]
    assert len(leading) <= 1, "two work at the same time"
    return leading[0] if leading else None


def other(operators: list[OperatorProcess], one: OperatorProcess) -> OperatorProcess:
    (found,) = [it for it in operators if it is not one]
    return found


def start_both(operators: list[OperatorProcess]) -> tuple[OperatorProcess, OperatorProcess]:
    """Return the one that works and the one that stands by."""
    for it in operators:
        it.launch()
    for it in operators:
        it.wait_ready()
    leader = leader_of(operators)
    assert leader is not None, "both are ready, so one works"
    return leader, other(operators, leader)


def made(operator: OperatorProcess) -> dict[str, int]:
    """Return how many objects of each kind both operators really made: they have one account."""
    created = Counter(it.resource for it in operator.asked() if it.verb == "create" and it.code == 201)
    return {kind: created[kind] for kind in MADE_ONCE}


def provisioned(world: Any, manifest: Any, *names: str) -> list[TrainerStandIn]:
    judges = [world.apply(manifest(name)) for name in names]
    for judge in judges:
        judge.prepared()
    return judges


def test_one_works_and_the_other_takes_over_when_it_vanishes_or_is_stopped(pair: Any, manifest: Any) -> None:
    world, operators = pair
    leader, standby = start_both(operators)
    provisioned(world, manifest, "first")
    world.until("a RayCluster", lambda: world.names("raycluster") == ["first-c1"])
    metrics = standby.get("/metrics") or ""
    assert "\nrrm_watch_starts_total 0.0\n" not in metrics, "who stands by watches"
    for zero in ("rrm_trainings", 'rrm_gpus_held{use="idle"}', "rrm_queue_length"):
        assert f"\n{zero} 0.0\n" in metrics, "and tells nothing, so that sums over both are right"
    assert "rrm_stage_trainings{" not in metrics

    # In the middle of work: the trainings are there, and nothing is done for them yet.
    judges = [world.apply(manifest(name)) for name in ("second", "third", "fourth")]
    leader.kill()
    killed = time.monotonic()
    waited(standby.leads, "the takeover after SIGKILL")
    took = time.monotonic() - killed
    waited(standby.is_ready, "ready after the takeover")
    level = time.monotonic() - killed
    print(f"SIGKILL -> the other works: {took:.1f} s, level: {level:.1f} s, bar {TAKEOVER_BAR_SECONDS} s")
    for judge in judges:
        judge.prepared()
    names = [f"{it}-c1" for it in ("first", "fourth", "second", "third")]
    world.until("four RayClusters", lambda: world.names("raycluster") == names)

    leader.launch()
    leader.wait_ready()
    assert leader_of(operators) is standby, "who comes back waits"
    stopped = time.monotonic()
    assert standby.stop() == 0
    ended = time.monotonic() - stopped
    waited(leader.leads, "the takeover after SIGTERM")
    print(f"SIGTERM -> ended: {ended:.1f} s, the other works: {time.monotonic() - stopped:.1f} s")
    leader.wait_ready()
    time.sleep(2)
    assert made(leader) == {kind: 4 * count for kind, count in MADE_ONCE.items()}
    for name in ("first", "second", "third", "fourth"):
        assert world.status(name)["stage"] == "Provisioning"
    assert 'rrm_stage_trainings{stage="Provisioning"} 4.0' in (leader.get("/metrics") or "")
    refused = [it for it in leader.asked() if it.code in (401, 403)]
    assert refused == [], "the chart's rights are enough for the lease"


def test_who_is_frozen_past_its_lease_does_nothing_when_it_thaws_and_ends(pair: Any, manifest: Any) -> None:
    world, operators = pair
    leader, standby = start_both(operators)
    provisioned(world, manifest, "first")
    world.until("a RayCluster", lambda: world.names("raycluster") == ["first-c1"])
    leader.send(signal.SIGSTOP)
    frozen = time.monotonic()
    world.apply(manifest("second"))
    waited(standby.leads, "the takeover after SIGSTOP")
    print(f"SIGSTOP -> the other works: {time.monotonic() - frozen:.1f} s")
    world.stage("second", "Preparing")
    before = len(leader.asked())
    leader.send(signal.SIGCONT)
    assert leader.wait(seconds=10) == LEASE_LOST
    TrainerStandIn(world.cluster, world.namespace, "second").prepared()
    world.until("a RayCluster", lambda: "second-c1" in world.names("raycluster"))
    assert made(standby) == {kind: 2 * count for kind, count in MADE_ONCE.items()}
    leases = [it for it in leader.asked()[before:] if it.resource == "leases" and it.verb == "update"]
    assert [it.code for it in leases if it.code != 200] in ([], [409]), "its late renewal is refused"


def test_an_api_server_that_freezes_ends_the_holder_and_its_successor_waits_for_it(
    pair: Any, manifest: Any
) -> None:
    world, operators = pair
    leader, _ = start_both(operators)
    with stopped(world.cluster, "kube-apiserver"):
        began = time.monotonic()
        assert leader.wait(seconds=20) == LEASE_LOST
        print(f"API server frozen -> the holder ended after {time.monotonic() - began:.1f} s")
        # As the kubelet does; a start without an API server is no crash.
        leader.launch()
        time.sleep(15)
        for it in operators:
            assert it.get("/healthz") is not None
            assert not it.leads()
    back = time.monotonic()
    waited(lambda: leader_of(operators), "a leader")
    working = leader_of(operators)
    assert working is not None
    working.wait_ready()
    print(f"API server back -> one works, level: {time.monotonic() - back:.1f} s")
    world.apply(manifest("first"))
    world.stage("first", "Preparing")


def test_it_stops_in_time_while_the_api_server_is_away(pair: Any, manifest: Any) -> None:
    world, operators = pair
    leader, standby = start_both(operators)
    world.apply(manifest("first"))
    world.stage("first", "Preparing")
    with stopped(world.cluster, "kube-apiserver"):
        for name, one in (("who works", leader), ("who stands by", standby)):
            began = time.monotonic()
            code = one.stop(seconds=STOP_BAR_SECONDS)
            print(f"SIGTERM to {name}, API server frozen: {time.monotonic() - began:.1f} s, exit code {code}")


def test_an_operator_that_starts_before_its_api_server_waits_for_it(
    make_world: Any, api_cluster: Cluster, manifest: Any
) -> None:
    api_cluster.install_kuberay_crds()
    world = make_world(api_cluster, leader_election="true")
    pki = api_cluster.folder / "pki"
    shown = KeyPair(pki / "apiserver.crt", pki / "apiserver.key")
    with fault_proxy(api_cluster.server, shown=shown, authority=pki / "ca.crt") as between:
        point_to(api_cluster.folder / f"{world.operator.namespace}.{ACCOUNT}.kubeconfig", between.url)
        between.refuse()
        world.operator.launch()
        time.sleep(8)
        assert world.operator.get("/healthz") is not None
        assert not world.operator.is_ready()
        between.refuse(on=False)
        began = time.monotonic()
        world.operator.wait_ready()
        print(f"API server there -> level: {time.monotonic() - began:.1f} s")
        world.apply(manifest("judge"))
        world.stage("judge", "Preparing")

        between.freeze(new=False)
        began = time.monotonic()
        world.apply(manifest("late"))
        world.stage("late", "Preparing", seconds=2 * ECHO_BAR_SECONDS)
        print(f"watches frozen -> acted upon: {time.monotonic() - began:.0f} s, bar {ECHO_BAR_SECONDS} s")
        assert world.operator.stop() == 0


def test_a_namespace_that_comes_later_is_served_and_one_that_goes_does_not_disturb(
    make_world: Any, api_cluster: Cluster, manifest: Any
) -> None:
    """Rights by one Role in each namespace, as the chart gives them with listed namespaces."""
    api_cluster.install_kuberay_crds()
    # Watches run on until their time is over, however few rights are left; the lists tell it earlier.
    world = make_world(api_cluster, leader_election="true", relist_seconds="20")
    later, operator = f"{world.namespace}-later", world.operator
    operator.settings["watched_namespaces"] = json.dumps([world.namespace, later])
    operator.rules.clear()
    operator.install()
    grant(world, world.namespace)
    operator.start()
    provisioned(world, manifest, "first")
    world.until("a RayCluster", lambda: world.names("raycluster"))
    assert operator.log.read_text().count("left out") == 1

    api_cluster.create_namespace(later)
    grant(world, later)
    there = manifest("judge")
    there["metadata"]["namespace"] = later
    api_cluster.apply(there)
    took = waited(lambda: stage_in(world, later) == "Preparing", "the new namespace is served")
    print(f"rights in a new namespace -> its training is prepared: {took:.1f} s (probe each 2 s)")

    for kind in ("rolebinding", "role"):
        api_cluster.kubectl("delete", kind, ACCOUNT, "--namespace", later)
    left = waited(lambda: operator.log.read_text().count("left out") == 2, "left out again", seconds=120)
    world.apply(manifest("second"))
    world.stage("second", "Preparing")
    print(f"rights taken away -> left out: {left:.1f} s, the other namespace is served on")
    leases = json.loads(api_cluster.kubectl("get", "lease", LEASE, "-n", operator.namespace, "-o", "json"))
    assert leases["spec"]["leaseTransitions"] == 1, "the lease was kept through it"
    api_cluster.kubectl("delete", "namespace", later, "--wait=false")


def stage_in(world: Any, namespace: str) -> str | None:
    found = world.cluster.client.get("rmt", "judge", namespace=namespace)
    stage: str | None = found.get("status", {}).get("stage")
    return stage


def grant(world: Any, namespace: str) -> None:
    where = {"name": ACCOUNT, "account_namespace": world.operator.namespace}
    world.cluster.apply(*role_objects(namespace, chart_rules(), **where))
