"""A cluster of its own with the real Kueue in it, and queues that have room for one training."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rrm_test_cluster import Cluster, CommandFailed, Level, Missing
from rrm_test_cluster.tools import ToolsUnavailable
from tests.e2e.operator.conftest import World, WorldMaker, make_world, manifest, ray

__all__ = ["make_world", "manifest", "ray"]

Manifest = dict[str, Any]
API = "kueue.x-k8s.io/v1beta1"
QUEUE = "trainings"
GPUS_OF_ONE = 16
"""Of one training: two nodes of eight."""
ROOMY = {"cpu": "1000", "memory": "100Ti"}


def priority(name: str, value: int) -> Manifest:
    return {"apiVersion": API, "kind": "WorkloadPriorityClass", "metadata": {"name": name}, "value": value}


@pytest.fixture(scope="module")
def kueue_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """KubeRay, Kueue and four fake nodes of 8 GPUs: room for two trainings, so that only quota is short."""
    try:
        with Cluster.start(Level.FAKE_NODES, tmp_path_factory.mktemp("kueue"), fake_nodes=4) as cluster:
            cluster.start_kueue()
            flavor = {"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": "any"}}
            cluster.apply(flavor, priority("low", 100), priority("high", 1000))
            yield cluster
    except (Missing, ToolsUnavailable) as missing:
        pytest.skip(str(missing))


@pytest.fixture
def make_queue(kueue_cluster: Cluster) -> Callable[[str], None]:
    """Return the function that gives a namespace a queue with quota for one training."""

    def make(namespace: str) -> None:
        quotas = {**ROOMY, "nvidia.com/gpu": str(GPUS_OF_ONE)}
        flavor = {
            "name": "any",
            "resources": [{"name": name, "nominalQuota": quota} for name, quota in quotas.items()],
        }
        spec = {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "preemption": {"withinClusterQueue": "LowerPriority"},
            "resourceGroups": [{"coveredResources": list(quotas), "flavors": [flavor]}],
        }
        where = {"name": QUEUE, "namespace": namespace}
        kueue_cluster.apply(
            {"apiVersion": API, "kind": "ClusterQueue", "metadata": {"name": namespace}, "spec": spec},
            {"apiVersion": API, "kind": "LocalQueue", "metadata": where, "spec": {"clusterQueue": namespace}},
        )

    return make


@dataclass(frozen=True)
class QueuedWorld(World):
    """A world whose namespace has a queue."""

    def ray_cluster(self, name: str) -> Manifest | None:
        """Return a RayCluster, if there is one."""
        try:
            return self.get("raycluster", name)
        except CommandFailed:
            return None

    def is_suspended(self, name: str) -> bool:
        """Whether Kueue holds a RayCluster back: it is there, and none of its pods are."""
        cluster = self.ray_cluster(name)
        return cluster is not None and cluster["spec"].get("suspend") is True and not self.pods_of(name)

    def pods_of(self, cluster: str) -> list[str]:
        """Return the names of a RayCluster's pods."""
        pods = self.cluster.client.list("pod", namespace=self.namespace, selector=f"ray.io/cluster={cluster}")
        return [it["metadata"]["name"] for it in pods]

    def waits_for_quota(self, name: str) -> bool:
        """Whether a training says that it waits for quota, and nothing worse."""
        conditions = {it["type"]: it for it in self.status(name).get("conditions", [])}
        return (
            self.status(name).get("stage") == "Provisioning"
            and conditions["Reconciling"]["reason"] == "QuotaPending"
            and conditions["Stalled"]["status"] == "False"
        )

    def stays(self, holds: Callable[[], bool], *, seconds: float) -> None:
        """Look again and again whether something still holds; when it does not, show what is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert holds(), json.dumps([it.get("status") for it in self.all("rmt")])
            time.sleep(0.5)

    def run_of(self, name: str) -> Manifest:
        """Return what a training was told to run."""
        found: Manifest = json.loads(self.get("configmap", f"{name}-run")["data"]["run.json"])
        return found

    def verbs(self, resource: str) -> set[str]:
        """Return what the operator did to a kind of object, reading apart."""
        asked = {it.verb for it in self.operator.asked() if it.resource == resource}
        return asked - {"get", "list", "watch"}


@pytest.fixture
def queued(make_world: WorldMaker, kueue_cluster: Cluster, make_queue: Callable[[str], None]) -> QueuedWorld:
    """An operator that runs, in a namespace whose queue has room for one training."""
    made = make_world(kueue_cluster)
    make_queue(made.namespace)
    made.operator.start()
    return QueuedWorld(made.cluster, made.operator, made.ray, made.namespace)
