"""An older CRD let in a training with a size that is none: its status is told, and it can be put right."""

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.patches import merge_patch

ROOT = Path(__file__).parents[3]
CRD = ROOT / "crds/training.rrm.dev_rewardmodeltrainings.yaml"
BASE = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
NAME = BASE["metadata"]["name"]
SECONDS = 30.0
"""Longest wait until the API server asks what the CRD says now."""

pytestmark = pytest.mark.api


def sized(size: str) -> str:
    return json.dumps(merge_patch(copy.deepcopy(BASE), {"spec": {"checkpoints": {"volume": {"size": size}}}}))


def is_accepted(cluster: Any, document: str, *flags: str) -> bool:
    try:
        cluster.kubectl("apply", "-f", "-", *flags, stdin=document)
    except CommandFailed:
        return False
    return True


def comes_true(cluster: Any, document: str, *, accepted: bool) -> bool:
    """Return whether a document of another name is accepted, or refused, before long."""
    deadline = time.monotonic() + SECONDS
    document = document.replace(f'"{NAME}"', '"probe"')
    while is_accepted(cluster, document, "--dry-run=server") is not accepted:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def without_bounds(schema: Any) -> Any:
    """Return a schema that takes anything for a quantity, as it was once."""
    if isinstance(schema, list):
        return [without_bounds(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    loose = ("pattern", "maxLength", "minimum") if schema.get("x-kubernetes-int-or-string") else ()
    return {key: without_bounds(it) for key, it in schema.items() if key not in loose}


@pytest.fixture
def upgraded(api_cluster: Any, tmp_path: Path) -> Iterator[Any]:
    """A cluster of today's CRD with a training of an older one's."""
    older = tmp_path / "older.yaml"
    older.write_text(yaml.safe_dump(without_bounds(yaml.safe_load(CRD.read_text(encoding="utf-8")))))
    api_cluster.client.install_crds(older)
    try:
        assert comes_true(api_cluster, sized("64GB"), accepted=True)
        assert is_accepted(api_cluster, sized("64GB"))
    finally:
        api_cluster.client.install_crds(CRD)
    assert comes_true(api_cluster, sized("64GB"), accepted=False)
    yield api_cluster
    api_cluster.kubectl("delete", "rmt", NAME, "--ignore-not-found")


def test_a_size_that_is_none_can_be_put_right_and_hides_no_status(upgraded: Any) -> None:
    told = {"status": {"stage": "Stalled", "observedGeneration": 1}}
    upgraded.client.patch_status("rmt", NAME, told, namespace="default")
    assert upgraded.client.get("rmt", NAME)["status"]["stage"] == "Stalled"
    assert not is_accepted(upgraded, sized("65GB"))
    assert is_accepted(upgraded, sized("64Gi"))
    assert not is_accepted(upgraded, sized("63Gi"))
