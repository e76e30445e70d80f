"""Why Ray pods share a process namespace: an init container that only waits for its head hears SIGTERM then.

As PID 1 of its own it would ignore it, and hold its GPUs for the whole grace, which is minutes where a
training may save.
"""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.images import BASE_IMAGE, base_archive

pytestmark = pytest.mark.node

_WAITS = ["/bin/bash", "-c", "--", "while true; do sleep 5; done"]


@pytest.fixture
def namespace(node_cluster: Cluster) -> Iterator[str]:
    node_cluster.import_image(base_archive())
    name = f"test-{uuid.uuid4().hex[:8]}"
    node_cluster.create_namespace(name, {"pod-security.kubernetes.io/enforce": "restricted"})
    yield name
    node_cluster.kubectl("delete", "namespace", name, "--wait=false")


def waiting_pod(name: str, namespace: str, *, shared: bool) -> dict[str, Any]:
    container = {
        "image": BASE_IMAGE,
        "imagePullPolicy": "Never",
        "command": _WAITS,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 60,
            "shareProcessNamespace": shared,
            "securityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [{"name": "wait", **container}],
            "containers": [{"name": "main", **container}],
        },
    }


def test_a_pod_that_waits_for_its_head_goes_at_once_and_one_with_a_pid_1_of_its_own_does_not(
    node_cluster: Cluster, namespace: str
) -> None:
    for name, shared in (("shared", True), ("alone", False)):
        node_cluster.client.apply(waiting_pod(name, namespace, shared=shared))
    wait_until(lambda: waiting(node_cluster, namespace) == {"shared", "alone"})
    deleted = time.monotonic()
    node_cluster.kubectl("delete", "pod", "shared", "alone", "--namespace", namespace, "--wait=false")
    wait_until(lambda: "shared" not in names(node_cluster, namespace))
    print(f"gone after {time.monotonic() - deleted:.1f} s of a grace of 60")
    assert names(node_cluster, namespace) == {"alone"}
    node_cluster.kubectl("delete", "pod", "alone", "--namespace", namespace, "--force", "--grace-period=0")


def waiting(cluster: Cluster, namespace: str) -> set[str]:
    return {
        pod["metadata"]["name"]
        for pod in cluster.client.list("pods", namespace=namespace)
        for status in pod["status"].get("initContainerStatuses", ())
        if "running" in status["state"]
    }


def names(cluster: Cluster, namespace: str) -> set[str]:
    return {pod["metadata"]["name"] for pod in cluster.client.list("pods", namespace=namespace)}


def wait_until(holds: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.3)
