"""Level FAKE_NODES: KubeRay and the scheduler are real, pods run nothing."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster import Cluster, CommandFailed, Level

pytestmark = pytest.mark.fakenodes


@pytest.fixture
def namespace(fake_nodes_cluster: Cluster) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    fake_nodes_cluster.create_namespace(name)
    yield name
    fake_nodes_cluster.kubectl("delete", "namespace", name, "--wait=false")


def _ray_cluster(name: str, namespace: str, *, gpus: int = 8) -> dict[str, Any]:
    def template(container: str, limits: dict[str, str]) -> dict[str, Any]:
        return {
            "spec": {"containers": [{"name": container, "image": "ray", "resources": {"limits": limits}}]}
        }

    workers = {
        "groupName": "gpu",
        "replicas": 1,
        "minReplicas": 1,
        "maxReplicas": 1,
        "rayStartParams": {},
        "template": template("ray-worker", {"nvidia.com/gpu": str(gpus)}),
    }
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "rayVersion": "2.60.0",
            "headGroupSpec": {
                "rayStartParams": {},
                "template": template("ray-head", {"cpu": "1", "memory": "1Gi"}),
            },
            "workerGroupSpecs": [workers],
        },
    }


def _wait(cluster: Cluster, what: str, path: str, *, namespace: str) -> None:
    cluster.kubectl("wait", what, f"--for=jsonpath={path}", "-n", namespace, "--timeout=60s")


def test_a_ray_cluster_becomes_ready(fake_nodes_cluster: Cluster, namespace: str) -> None:
    fake_nodes_cluster.apply(_ray_cluster("judge", namespace))

    _wait(fake_nodes_cluster, "raycluster/judge", "{.status.state}=ready", namespace=namespace)
    pods = fake_nodes_cluster.client.list("pods", namespace=namespace)
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}


def test_a_ninth_gpu_fits_on_no_node(fake_nodes_cluster: Cluster, namespace: str) -> None:
    fake_nodes_cluster.apply(_ray_cluster("greedy", namespace, gpus=9))

    def worker() -> str:
        return fake_nodes_cluster.kubectl(
            "wait", "pod", "-l", "ray.io/node-type=worker", "-n", namespace, "--timeout=60s",
            "--for=condition=PodScheduled=false",
        )  # fmt: skip

    _wait(fake_nodes_cluster, "raycluster/greedy", "{.status.desiredWorkerReplicas}=1", namespace=namespace)
    assert "condition met" in worker()


@pytest.mark.parametrize(("exit_code", "condition"), [(0, "Complete"), (1, "Failed")])
def test_a_job_runs_until_the_test_says_how_it_ended(
    fake_nodes_cluster: Cluster, namespace: str, exit_code: int, condition: str
) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x"}]}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "prepare", "namespace": namespace},
        "spec": {"backoffLimit": 0, "template": template},
    }
    fake_nodes_cluster.apply(job)
    _wait(fake_nodes_cluster, "job/prepare", "{.status.ready}=1", namespace=namespace)
    [pod] = fake_nodes_cluster.client.list("pods", namespace=namespace)

    fake_nodes_cluster.finish_pod(namespace, pod["metadata"]["name"], exit_code=exit_code, message="the word")

    waiting = ("job/prepare", f"--for=condition={condition}", "-n", namespace, "--timeout=60s")
    fake_nodes_cluster.kubectl("wait", *waiting)


def test_a_claim_gets_a_folder_that_goes_with_it(fake_nodes_cluster: Cluster, namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "checkpoints", "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "2Gi"}}},
    }
    fake_nodes_cluster.apply(claim)
    _wait(fake_nodes_cluster, "pvc/checkpoints", "{.status.phase}=Bound", namespace=namespace)
    folder = fake_nodes_cluster.claim_folder(namespace, "checkpoints")
    volume = fake_nodes_cluster.client.get("pvc", "checkpoints", namespace=namespace)["spec"]["volumeName"]
    assert folder.stat().st_mode & 0o7777 == 0o2770

    fake_nodes_cluster.kubectl("delete", "pvc", "checkpoints", "-n", namespace)

    fake_nodes_cluster.kubectl("wait", "--for=delete", f"pv/{volume}", "--timeout=60s")
    assert not folder.exists()


def test_a_host_folder_is_bound_to_its_claim(
    fake_nodes_cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    fake_nodes_cluster.host_folder_claim(namespace, "trainer-env", tmp_path)

    assert fake_nodes_cluster.claim_folder(namespace, "trainer-env") == tmp_path


def test_kuberay_may_come_after_the_cluster(tmp_path: Path) -> None:
    with Cluster.start(Level.FAKE_NODES, tmp_path, kuberay=False, fake_nodes=1) as cluster:
        cluster.create_namespace("late")
        with pytest.raises(CommandFailed, match='no matches for kind "RayCluster"'):
            cluster.apply(_ray_cluster("judge", "late"))

        cluster.install_kuberay_crds()
        cluster.apply(_ray_cluster("judge", "late"))
        cluster.start_kuberay()

        _wait(cluster, "raycluster/judge", "{.status.state}=ready", namespace="late")
