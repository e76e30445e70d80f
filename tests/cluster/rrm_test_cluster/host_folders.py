"""Folders of this host as read-only claims: the way past "restricted", which forbids hostPath in a pod."""

from pathlib import Path

from rrm_test_cluster.client import Manifest

# No class: neither a provisioner nor another claim takes part.
_CLASS = ""
_SIZE = "1Ti"


def host_folder_objects(namespace: str, name: str, path: Path) -> tuple[Manifest, Manifest]:
    """Return the volume and the claim, each naming the other."""
    volume = f"{namespace}-{name}"
    shared = {"accessModes": ["ReadOnlyMany"], "storageClassName": _CLASS}
    return (
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                **shared,
                "capacity": {"storage": _SIZE},
                # The folder belongs to the host, whatever becomes of the claim.
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": str(path), "type": "Directory"},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": namespace,
                    "name": name,
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {**shared, "volumeName": volume, "resources": {"requests": {"storage": _SIZE}}},
        },
    )
