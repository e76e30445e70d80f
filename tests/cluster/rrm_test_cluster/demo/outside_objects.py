"""The objects the demo makes in somebody's own cluster, all within Pod Security "restricted": pure."""

from collections.abc import Mapping
from typing import Final

from rrm_test_cluster.client import Manifest
from rrm_test_cluster.demo.places import CLAIM, NAMESPACE

_ROWS: Final = "demo-rows"
_SEED: Final = (
    "mkdir -p /mnt/demo/helpsteer2 && cp -L /rows/*.jsonl /mnt/demo/helpsteer2/ && "
    "python -m rrm.cli tiny-model /mnt/demo/model --training /rows/training.yaml --claims /mnt"
)
_POD_SECURITY: Final = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_SECURITY: Final = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def rows_config_map(rows: Mapping[str, str]) -> Manifest:
    """Return rows and training as a ConfigMap; together they are below its limit of 1 MiB."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _named(_ROWS), "data": dict(rows)}


def seed_claim(storage_class: str) -> Manifest:
    """Return the claim that trainings read rows and model from."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _named(CLAIM),
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def seed_job(image: str) -> Manifest:
    """Return the Job that copies the rows into the claim and makes the tiny model beside them."""
    container = {
        "name": "seed",
        "image": image,
        "command": ["/bin/sh", "-c", _SEED],
        "env": [{"name": "HOME", "value": "/tmp"}],
        "securityContext": _SECURITY,
        "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
        "volumeMounts": [_mount("demo", "/mnt/demo"), _mount("rows", "/rows")],
    }
    volumes = [
        {"name": "demo", "persistentVolumeClaim": {"claimName": CLAIM}},
        {"name": "rows", "configMap": {"name": _ROWS}},
    ]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _named("seed"),
        "spec": {"backoffLimit": 1, "template": {"spec": _pod_spec(container, volumes)}},
    }


def reader_pod(image: str, claim: str) -> Manifest:
    """Return a pod that only waits, so that files of a claim can be copied out of it."""
    container = {
        "name": "reader",
        "image": image,
        "command": ["sleep", "3600"],
        "securityContext": _SECURITY,
        "volumeMounts": [_mount("volume", "/mnt/rrm")],
    }
    volumes = [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _named("reader"),
        "spec": _pod_spec(container, volumes),
    }


def _pod_spec(container: Manifest, volumes: list[Manifest]) -> Manifest:
    return {
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "securityContext": _POD_SECURITY,
        "containers": [container],
        "volumes": volumes,
    }


def _mount(name: str, path: str) -> Manifest:
    return {"name": name, "mountPath": path}


def _named(name: str) -> Manifest:
    return {"name": name, "namespace": NAMESPACE}
