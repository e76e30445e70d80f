"""A Ray that is frozen: nothing is ended in 299 s, and nothing later unless a second witness says so too.

Two trainings share the frozen Ray: the head of one is not ready all the while, that of the other is well.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rrm_operator.assess.moments import seconds_of
from rrm_test_cluster import Cluster
from rrm_test_cluster.rig.fault_proxy import FaultProxy, fault_proxy

pytestmark = [pytest.mark.fakenodes, pytest.mark.long]

LOST_AFTER_SECONDS = 300
LONGER_SECONDS = 30
"""How much longer than that a Ray stays silent whose head is well."""
ASKED_WITHIN_SECONDS = 120
"""A trainer that has just reported says enough: for 60 s after it Ray is not asked."""
SEEN_WITHIN_SECONDS = 30
"""A question to a frozen Ray takes 10 s, and the next follows a second later."""


@dataclass(frozen=True)
class Frozen:
    """Trainings whose Ray can be frozen."""

    world: Any
    jobs: FaultProxy

    def attempt(self, name: str) -> dict[str, Any]:
        """Return the first attempt of a training."""
        found: dict[str, Any] = self.world.status(name)["attempts"][0]
        return found

    def silent_since(self, name: str) -> float | None:
        """Return since when Ray has not answered, by the operator's own words."""
        message = self.world.condition(name, "Ready").get("message", "")
        found = re.search(r"Ray has not answered since (\S+Z)", message)
        return seconds_of(found[1]) if found else None

    def falls_silent(self, name: str) -> float:
        """Wait until Ray is known to be silent; return since when."""
        since: float = self.world.until(
            f"the silence of {name}", lambda: self.silent_since(name), seconds=ASKED_WITHIN_SECONDS
        )
        return since

    def must_go_on(self, *names: str, until: float) -> None:
        """Check up to a moment that nothing was taken for the end of an attempt."""
        while time.time() < until:
            for name in names:
                status = self.world.status(name)
                assert status["stage"] == "Training"
                assert [it.get("endTime") for it in status["attempts"]] == [None]
            time.sleep(1)

    def must_be_lost(self, name: str, *, since: float) -> None:
        """Check that the first attempt of a training is lost, and not before its time."""
        self.world.until(
            f"the loss of {name}", lambda: self.attempt(name).get("endTime"), seconds=SEEN_WITHIN_SECONDS
        )
        lost = self.attempt(name)
        silent = (seconds_of(lost["endTime"]) or 0) - since
        print(f"{name}: {lost['reason']} after {silent:.0f} s of silence: {lost.get('message')}")
        assert lost["reason"] == "ClusterLost"
        assert silent >= LOST_AFTER_SECONDS


@pytest.fixture
def frozen(make_world: Any, fake_nodes_cluster: Cluster, ray: Any) -> Iterator[Frozen]:
    with fault_proxy(f"http://127.0.0.1:{ray.port}") as jobs:
        world = make_world(fake_nodes_cluster, ray_url=jobs.url + "/{namespace}/{cluster}")
        world.operator.start()
        yield Frozen(world, jobs)
        world.operator.close()


def training(frozen: Frozen, manifest: Any, name: str) -> Any:
    """Bring a training to its third step."""
    judge = frozen.world.apply(manifest(name, policy={"restartBackoffSeconds": 1}))
    judge.prepared()
    cluster = f"{frozen.world.namespace}/{name}-c1"
    frozen.world.until("a submission", lambda: frozen.world.ray.ids(cluster), seconds=120)
    judge.progress(1, step=3)
    frozen.world.stage(name, "Training")
    return judge


def becomes_unready(frozen: Frozen, name: str) -> None:
    """Let the kubelet find the head of a training not ready, as its probes ask Ray too."""
    (head,) = [it for it in frozen.world.names("pod") if it.startswith(f"{name}-c1-head")]
    unready = {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "ray-head"}
    patch = json.dumps({"status": {"conditions": [unready]}})
    where = ("--namespace", frozen.world.namespace, "--subresource=status", "--type=strategic")
    frozen.world.cluster.kubectl("patch", "pod", head, *where, "--patch", patch)


def test_a_frozen_ray_is_lost_after_300_s_and_only_with_a_second_witness(
    frozen: Frozen, manifest: Any
) -> None:
    ailing, sound = training(frozen, manifest, "ailing"), training(frozen, manifest, "sound")
    frozen.jobs.freeze()
    becomes_unready(frozen, "ailing")
    ailing_since = frozen.falls_silent("ailing")

    frozen.must_go_on("ailing", "sound", until=ailing_since + LOST_AFTER_SECONDS - 1)
    frozen.must_be_lost("ailing", since=ailing_since)

    sound_since = frozen.falls_silent("sound")
    frozen.must_go_on("sound", until=sound_since + LOST_AFTER_SECONDS + LONGER_SECONDS)
    becomes_unready(frozen, "sound")
    frozen.must_be_lost("sound", since=sound_since)

    frozen.jobs.thaw()
    for name, judge in (("ailing", ailing), ("sound", sound)):
        again = f"{frozen.world.namespace}/{name}-c2"
        frozen.world.until("attempt 2", lambda again=again: frozen.world.ray.ids(again), seconds=120)
        judge.trained(2)
        judge.exported()
        frozen.world.stage(name, "Succeeded", seconds=120)
    ids = [it.submission_id for it in frozen.world.ray.submitted]
    assert len(ids) == len(set(ids)) == 4, "two attempts of each, and each sent once"
