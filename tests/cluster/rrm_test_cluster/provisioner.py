"""The folder provisioner: gives each claim of the default StorageClass a folder of this machine.

The folder is mode 2770 and owned by 1000:1000, as every pod of ours runs so and fsGroup does not apply to a
hostPath volume. When a claim goes, the folder goes with it, or stays, as the StorageClass says.
"""

import asyncio
import logging
import os
import shutil
from http import HTTPStatus
from pathlib import Path

from rrm_test_cluster.kube_api import KubeApi, Manifest, Refused, connect

PROVISIONER = "rrm.dev/folder"
STORAGE_CLASSES = ("folder", "folder-kept")
"""The default one, whose folders go with their claims, and one whose folders stay."""
_OWNER = 1000
_MODE = 0o2770
_LOGGER = logging.getLogger(__name__)


def storage_class(name: str) -> Manifest:
    """Return one of the two StorageClasses; the first is the default."""
    is_default = str(name == STORAGE_CLASSES[0]).lower()
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": name,
            "annotations": {"storageclass.kubernetes.io/is-default-class": is_default},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete" if name == STORAGE_CLASSES[0] else "Retain",
        "volumeBindingMode": "Immediate",
    }


def wants_volume(claim: Manifest) -> bool:
    """Whether a claim waits for a volume of ours."""
    return (
        claim["spec"].get("storageClassName") in STORAGE_CLASSES
        and not claim["spec"].get("volumeName")
        and "deletionTimestamp" not in claim["metadata"]
    )


def volume_name(claim: Manifest) -> str:
    """Return the name of a claim's volume; the same for the same claim, so that twice makes one."""
    return f"pvc-{claim['metadata']['uid']}"


def volume_for(claim: Manifest, folder: Path) -> Manifest:
    """Return the volume of a claim, bound to it and to nothing else."""
    name = claim["spec"]["storageClassName"]
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name(claim),
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "storageClassName": name,
            "persistentVolumeReclaimPolicy": storage_class(name)["reclaimPolicy"],
            "hostPath": {"path": str(folder), "type": "Directory"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }


def is_to_be_deleted(volume: Manifest) -> bool:
    """Whether a volume of ours lost its claim and is not to be kept."""
    return bool(
        volume["metadata"].get("annotations", {}).get("pv.kubernetes.io/provisioned-by") == PROVISIONER
        and volume.get("status", {}).get("phase") == "Released"
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    )


async def run_provisioner(kubeconfig: Path, folder: Path) -> None:
    """Serve claims and released volumes for ever."""
    async with connect(kubeconfig) as api:
        await asyncio.gather(_serve_claims(api, folder), _serve_volumes(api))


async def _serve_claims(api: KubeApi, root: Path) -> None:
    async for change in api.follow("/api/v1/persistentvolumeclaims"):
        claim = change.body
        if change.kind == "DELETED" or not wants_volume(claim):
            continue
        folder = root / f"{claim['metadata']['namespace']}-{claim['metadata']['name']}-{volume_name(claim)}"
        _make_folder(folder)
        try:
            await api.request("POST", "/api/v1/persistentvolumes", volume_for(claim, folder))
            _LOGGER.info("made %s", folder)
        except Refused as refusal:
            # A second look at the same claim, before its binding was seen.
            if refusal.status != HTTPStatus.CONFLICT:
                raise


async def _serve_volumes(api: KubeApi) -> None:
    async for change in api.follow("/api/v1/persistentvolumes"):
        if change.kind == "DELETED" or not is_to_be_deleted(change.body):
            continue
        path = change.body["spec"]["hostPath"]["path"]
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        try:
            await api.request("DELETE", f"/api/v1/persistentvolumes/{change.body['metadata']['name']}")
            _LOGGER.info("removed %s", path)
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise


def _make_folder(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, _OWNER, _OWNER)
    # After the change of owner, which clears the group bit.
    folder.chmod(_MODE)
