from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster.provisioner import (
    PROVISIONER,
    is_to_be_deleted,
    storage_class,
    volume_for,
    wants_volume,
)


def _claim(**spec: Any) -> dict[str, Any]:
    resources = {"requests": {"storage": "2Gi"}}
    return {
        "metadata": {"name": "c", "namespace": "n", "uid": "u"},
        "spec": {
            "storageClassName": "folder",
            "accessModes": ["ReadWriteMany"],
            "resources": resources,
            **spec,
        },
    }


def _volume(*, phase: str = "Released", policy: str = "Delete", by: str = PROVISIONER) -> dict[str, Any]:
    return {
        "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": by}},
        "spec": {"persistentVolumeReclaimPolicy": policy},
        "status": {"phase": phase},
    }


def test_only_the_first_class_is_the_default() -> None:
    key = "storageclass.kubernetes.io/is-default-class"

    assert storage_class("folder")["metadata"]["annotations"][key] == "true"
    assert storage_class("folder-kept")["metadata"]["annotations"][key] == "false"


@pytest.mark.parametrize(
    "spec", [{"storageClassName": "other"}, {"storageClassName": ""}, {"volumeName": "v"}]
)
def test_a_claim_of_another_class_or_with_a_volume_is_left_alone(spec: dict[str, Any]) -> None:
    assert wants_volume(_claim())
    assert not wants_volume(_claim(**spec))


def test_a_volume_is_bound_to_its_claim_alone() -> None:
    volume = volume_for(_claim(), Path("/folder"))

    assert volume["metadata"]["name"] == "pvc-u"
    assert volume["spec"]["claimRef"]["uid"] == "u"
    assert volume["spec"]["capacity"]["storage"] == "2Gi"
    assert volume["spec"]["hostPath"]["path"] == "/folder"


def test_the_class_decides_whether_a_folder_outlives_its_claim() -> None:
    kept = volume_for(_claim(storageClassName="folder-kept"), Path("/folder"))

    assert kept["spec"]["persistentVolumeReclaimPolicy"] == "Retain"


@pytest.mark.parametrize(
    "volume",
    [_volume(phase="Bound"), _volume(policy="Retain"), _volume(by="another")],
    ids=["bound", "kept", "other"],
)
def test_a_bound_a_kept_and_a_foreign_volume_are_never_deleted(volume: dict[str, Any]) -> None:
    assert is_to_be_deleted(_volume())
    assert not is_to_be_deleted(volume)
