"""One cluster with KubeRay on fake nodes, one operator and one table for all benches of the operator."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from rich.console import Console

from rrm_test_cluster import Cluster, Level, Missing
from rrm_test_cluster.kube_api import connect
from rrm_test_cluster.rig.figures import Figures
from rrm_test_cluster.rig.fleet import Fleet
from rrm_test_cluster.rig.operator_bench import CURVE, KUBERAY_AT_A_TIME, RUNNING, World
from rrm_test_cluster.rig.operator_process import CRD, OperatorProcess
from rrm_test_cluster.rig.ray_stand_in import ray_stand_in

FIGURES = Figures(
    f"The operator beside KubeRay (reconcile-concurrency {KUBERAY_AT_A_TIME}), "
    f"{', '.join(map(str, CURVE))} trainings on fake nodes"
)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bench")
    options = {"fake_nodes": 110, "gpus": 64, "kuberay_concurrency": KUBERAY_AT_A_TIME}
    try:
        starting = Cluster.start(Level.FAKE_NODES, folder / "cluster", **options)
        with starting as cluster, ray_stand_in() as ray:
            cluster.client.install_crds(CRD)
            operator = OperatorProcess(cluster, folder, "bench-operator", {"ray_url": ray.url})
            operator.install()
            operator.start()
            time.sleep(5)
            yield World(cluster, operator, ray, operator.memory())
            operator.close()
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def figures() -> Figures:
    return FIGURES


@pytest.fixture(scope="session")
def running(world: World) -> str:
    """The namespace of all trainings that run, each of them training."""
    namespace = f"ours-{RUNNING}"
    if namespace not in world.running:
        asyncio.run(_start(world, namespace))
    return namespace


async def _start(world: World, namespace: str) -> None:
    async with connect(world.cluster.kubeconfig) as api:
        await world.start(Fleet(api, namespace), RUNNING)


def pytest_terminal_summary() -> None:
    FIGURES.print(Console(width=150))
