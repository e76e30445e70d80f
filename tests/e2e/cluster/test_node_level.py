"""Level NODE: containers run, reach the API server by its usual name, and write to claims."""

import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.images import BASE_IMAGE, base_archive
from rrm_test_cluster.tools import KUBERNETES

pytestmark = pytest.mark.node

_ASK_VERSION = """
import json, ssl, urllib.request
mounted = "/var/run/secrets/kubernetes.io/serviceaccount/"
tls = ssl.create_default_context(cafile=mounted + "ca.crt")
bearer = {"Authorization": "Bearer " + open(mounted + "token").read()}
asked = urllib.request.Request("https://kubernetes.default.svc/version", headers=bearer)
print(json.load(urllib.request.urlopen(asked, context=tls))["gitVersion"])
"""

_READ_AND_TRY_TO_WRITE = """
print(open("/opt/venv/lock.txt").read())
try:
    open("/opt/venv/other", "w")
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture
def namespace(node_cluster: Cluster) -> Iterator[str]:
    node_cluster.import_image(base_archive())
    name = f"test-{uuid.uuid4().hex[:8]}"
    node_cluster.create_namespace(name, {"pod-security.kubernetes.io/enforce": "restricted"})
    yield name
    node_cluster.kubectl("delete", "namespace", name, "--wait=false")


def _pod(
    name: str, namespace: str, program: str, *, claims: dict[str, str] | None = None, gpus: int = 0
) -> dict[str, Any]:
    """A restricted pod that runs a Python program; claims by their mount path."""
    mounts = claims or {}
    container = {
        "name": "main",
        "image": BASE_IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python3.11", "-c", program],
        "volumeMounts": [{"name": claim, "mountPath": path} for path, claim in mounts.items()],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"limits": {"nvidia.com/gpu": str(gpus)} if gpus else {}},
    }
    user = {"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [
                {"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in mounts.values()
            ],
            "containers": [container],
        },
    }


def _output(cluster: Cluster, pod: dict[str, Any]) -> str:
    """Run a pod to its end and return what it printed."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    cluster.apply(pod)
    _wait(cluster, f"pod/{name}", "{.status.phase}=Succeeded", namespace=namespace)
    return cluster.kubectl("logs", name, "-n", namespace)


def _wait(cluster: Cluster, what: str, path: str, *, namespace: str) -> None:
    cluster.kubectl("wait", what, f"--for=jsonpath={path}", "-n", namespace, "--timeout=60s")


def test_a_pod_with_a_token_asks_the_api_server_by_its_usual_name(
    node_cluster: Cluster, namespace: str
) -> None:
    assert _output(node_cluster, _pod("asker", namespace, _ASK_VERSION)) == f"v{KUBERNETES}\n"


def test_a_pod_writes_as_our_user_to_a_claim_that_the_host_reads(
    node_cluster: Cluster, namespace: str
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "checkpoints", "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "2Gi"}}},
    }
    node_cluster.apply(claim)
    _wait(node_cluster, "pvc/checkpoints", "{.status.phase}=Bound", namespace=namespace)

    write = "import os; open('/mnt/rrm/step', 'w').write('7'); print(os.getuid())"
    printed = _output(node_cluster, _pod("writer", namespace, write, claims={"/mnt/rrm": "checkpoints"}))

    written = node_cluster.claim_folder(namespace, "checkpoints") / "step"
    assert (printed, written.read_text(), written.stat().st_uid) == ("1000\n", "7", 1000)


def test_a_host_folder_is_read_through_its_claim_and_cannot_be_written(
    node_cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "lock.txt").write_text("pinned")
    tmp_path.chmod(0o777)  # only the mount keeps them from writing
    node_cluster.host_folder_claim(namespace, "trainer-env", tmp_path)

    pod = _pod("reader", namespace, _READ_AND_TRY_TO_WRITE, claims={"/opt/venv": "trainer-env"})

    [volume] = pod["spec"]["volumes"]
    volume["persistentVolumeClaim"]["readOnly"] = True

    assert _output(node_cluster, pod) == "pinned\nRead-only file system\n"
    assert [path.name for path in tmp_path.iterdir()] == ["lock.txt"]


def test_a_pod_behind_a_headless_service_is_found_by_name_and_from_this_host(
    node_cluster: Cluster, namespace: str
) -> None:
    serve = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8265)"
    server = _pod("server", namespace, serve)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "head-svc", "namespace": namespace},
        "spec": {"clusterIP": "None", "selector": {"app": "server"}, "ports": [{"port": 8265}]},
    }
    node_cluster.apply(server, service)
    node_cluster.kubectl("wait", "pod/server", "--for=condition=Ready", "-n", namespace, "--timeout=60s")

    ask = (
        "import time, urllib.request\n"
        "for _ in range(100):\n"
        "    try: print(urllib.request.urlopen('http://head-svc:8265/etc/hostname').status); break\n"
        "    except OSError: time.sleep(0.1)\n"
    )
    assert _output(node_cluster, _pod("asker", namespace, ask)) == "200\n"
    address = node_cluster.client.get("pod", "server", namespace=namespace)["status"]["podIP"]
    assert urllib.request.urlopen(f"http://{address}:8265/etc/hostname").status == 200


def test_fake_gpus_are_counted_by_the_scheduler(node_cluster: Cluster, namespace: str) -> None:
    node_cluster.apply(_pod("holder", namespace, "import time; time.sleep(600)", gpus=8))
    node_cluster.kubectl("wait", "pod/holder", "--for=condition=Ready", "-n", namespace, "--timeout=60s")

    node_cluster.apply(_pod("late", namespace, "print()", gpus=1))

    path = '{.status.conditions[?(@.type=="PodScheduled")].reason}'
    _wait(node_cluster, "pod/late", f"{path}=Unschedulable", namespace=namespace)
    node_cluster.kubectl("delete", "pod", "holder", "-n", namespace)
    _wait(node_cluster, "pod/late", "{.status.phase}=Succeeded", namespace=namespace)
