"""The operator as a process beside a real API server, with stand-ins for Ray and the trainer."""

import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.rig.operator_process import CRD, OperatorProcess
from rrm_test_cluster.rig.ray_stand_in import RayStandIn, ray_stand_in
from rrm_test_cluster.rig.trainer_stand_in import TrainerStandIn

Manifest = dict[str, Any]
MOMENTS = {"probe_seconds": "2", "ray_poll_seconds": "1"}


def training_manifest(name: str, **spec: Any) -> Manifest:
    source = {"format": "helpsteer2_pointwise", "uri": "hf://nvidia/HelpSteer2"}
    base: Manifest = {
        "method": "Pointwise",
        "model": {"name": "Qwen/Qwen3-8B"},
        "data": {"train": [source]},
        "workers": {"nodes": 2},
        "checkpoints": {"volume": {"size": "1Gi"}},
    }
    return {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": {"name": name},
        "spec": {**base, **spec},
    }


@dataclass(frozen=True)
class World:
    """One namespace with an operator of its own."""

    cluster: Cluster
    operator: OperatorProcess
    ray: RayStandIn
    namespace: str

    def apply(self, manifest: Manifest) -> TrainerStandIn:
        where = ("--namespace", self.namespace)
        self.cluster.kubectl("apply", "--server-side", *where, "-f", "-", stdin=json.dumps(manifest))
        return TrainerStandIn(self.cluster, self.namespace, manifest["metadata"]["name"])

    def get(self, kind: str, name: str) -> Manifest:
        return self.cluster.client.get(kind, name, namespace=self.namespace)

    def all(self, kind: str) -> list[Manifest]:
        return self.cluster.client.list(kind, namespace=self.namespace)

    def names(self, kind: str) -> list[str]:
        return sorted(it["metadata"]["name"] for it in self.all(kind))

    def status(self, name: str) -> Manifest:
        found: Manifest = self.get("rmt", name).get("status", {})
        return found

    def condition(self, name: str, kind: str) -> Manifest:
        conditions = {it["type"]: it for it in self.status(name).get("conditions", [])}
        found: Manifest = conditions.get(kind, {})
        return found

    def until(self, what: str, holds: Callable[[], Any], *, seconds: float = 60) -> Any:
        """Wait until something holds; when it does not, say what, and how the operator's log ends."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > deadline:
                log = "\n".join(self.operator.log.read_text().splitlines()[-25:])
                trainings = json.dumps([it.get("status") for it in self.all("rmt")])
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{trainings}\n{log}")
            time.sleep(0.2)
        return found

    def stage(self, name: str, stage: str, *, seconds: float = 60) -> Manifest:
        """Wait for a stage; return the status that shows it."""

        def shown() -> Manifest | None:
            status = self.status(name)
            return status if status.get("stage") == stage else None

        found: Manifest = self.until(f"{name} in stage {stage}", shown, seconds=seconds)
        return found


@pytest.fixture
def ray() -> Iterator[RayStandIn]:
    with ray_stand_in() as serving:
        yield serving


WorldMaker = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path, ray: RayStandIn, request: pytest.FixtureRequest) -> Iterator[WorldMaker]:
    """Return a function that starts an operator for a namespace of its own, named after the test."""
    made: list[World] = []

    def make(cluster: Cluster, **settings: str) -> World:
        cluster.client.install_crds(CRD)
        namespace = f"e2e-{zlib.crc32(request.node.nodeid.encode()):08x}"
        cluster.create_namespace(namespace)
        served = json.dumps([namespace])
        all_settings = {**MOMENTS, "ray_url": ray.url, "watched_namespaces": served, **settings}
        operator = OperatorProcess(cluster, tmp_path, f"{namespace}-operator", all_settings)
        operator.install()
        made.append(World(cluster, operator, ray, namespace))
        return made[-1]

    yield make
    for world in made:
        world.operator.close()
        for namespace in (world.namespace, world.operator.namespace):
            world.cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def world(make_world: WorldMaker, fake_nodes_cluster: Cluster) -> World:
    """An operator that runs, on the level with KubeRay and fake nodes."""
    made = make_world(fake_nodes_cluster)
    made.operator.start()
    return made


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Return the function that makes a training."""
    return training_manifest
