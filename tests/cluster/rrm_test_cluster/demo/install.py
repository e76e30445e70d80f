"""Put the operator into a cluster: namespaces, the keys of Ray's tokens, the chart; for demo and tests."""

import json
import secrets
from dataclasses import dataclass
from typing import Final

from rrm_test_cluster.client import Client, Manifest
from rrm_test_cluster.demo.errors import DemoError
from rrm_test_cluster.demo.places import (
    CHART,
    ENVIRONMENT_CLAIM,
    KEYS_SECRET,
    OPERATOR_NAMESPACE,
    RELEASE,
)
from rrm_test_cluster.errors import CommandFailed

RESTRICTED: Final = {
    f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")
}
ENVIRONMENT_MOUNT: Final = "/opt/venv"
MAIN_CONTAINER: Final = "trainer"
"""In a pod template: the main container, whatever it is called in that pod."""


@dataclass(frozen=True)
class Images:
    """References of the two images.

    Attributes:
        operator: `repository:tag` of the operator.
        trainer: The trainer's default image.
        pull_policy: `Never` where they were imported, `IfNotPresent` where a registry has them.
    """

    operator: str
    trainer: str
    pull_policy: str = "IfNotPresent"


SMALL: Final[Manifest] = {
    "headResources": {"requests": {"cpu": "200m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
    "workerResources": {"requests": {"cpu": "200m", "memory": "4Gi"}, "limits": {"memory": "10Gi"}},
    "jobsResources": {"requests": {"cpu": "200m", "memory": "1Gi"}, "limits": {"memory": "6Gi"}},
    "sharedMemory": "2Gi",
    "logFormat": "text",
}
"""Settings for a machine of 2 cores instead of nodes of 8 GPUs."""


def environment_template() -> Manifest:
    """Return the pod template that mounts the host's trainer environment, read-only, into every pod."""
    mount = {"name": ENVIRONMENT_CLAIM, "mountPath": ENVIRONMENT_MOUNT, "readOnly": True}
    claim = {"claimName": ENVIRONMENT_CLAIM, "readOnly": True}
    return {
        "spec": {
            "volumes": [{"name": ENVIRONMENT_CLAIM, "persistentVolumeClaim": claim}],
            "containers": [{"name": MAIN_CONTAINER, "volumeMounts": [mount]}],
        }
    }


def chart_values(images: Images, pod_template: Manifest | None = None) -> Manifest:
    """Return the chart's values for small pods and these images."""
    repository, tag = images.operator.rsplit(":", 1)
    return {
        "image": {"repository": repository, "tag": tag, "pullPolicy": images.pull_policy},
        "keys": {"secretName": KEYS_SECRET},
        "settings": {
            **SMALL,
            "defaultImage": images.trainer,
            "defaultImagePullPolicy": images.pull_policy,
            "defaultPodTemplate": pod_template or {},
        },
    }


def make_namespace(client: Client, name: str) -> None:
    """Make a namespace that lets only pods of the Pod Security level "restricted" in."""
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})


def install_operator(client: Client, values: Manifest) -> None:
    """Install the chart, or upgrade it, and wait until the operator is ready.

    Raises:
        DemoError: The operator did not get ready; carries its log.
    """
    make_namespace(client, OPERATOR_NAMESPACE)
    where = ("--namespace", OPERATOR_NAMESPACE)
    if not client.kubectl("get", "secret", KEYS_SECRET, *where, "--ignore-not-found", "-o", "name"):
        # Never replaced: running Ray clusters have tokens that were derived from it.
        client.kubectl(
            "create",
            "secret",
            "generic",
            KEYS_SECRET,
            *where,
            f"--from-literal=k1={secrets.token_hex(32)}",
        )
    how = ("--install", "--wait", "--timeout", "120s", "--values", "-")
    try:
        client.helm("upgrade", RELEASE, str(CHART), *where, *how, stdin=json.dumps(values))
    except CommandFailed as failed:
        # helm knows only that time ran out; the operator itself says why.
        log = client.kubectl("logs", f"deployment/{RELEASE}", *where, "--tail=20")
        raise DemoError(f"{failed}\nthe operator's log:\n{log}") from failed
