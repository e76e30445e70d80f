"""What only a real API server can show: that plain kubectl works, and what is refused before we see it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster.errors import CommandFailed
from tests.unit.rrm_operator.conftest import example

CRD = Path(__file__).parents[2] / "crds" / "training.rrm.dev_rewardmodeltrainings.yaml"
NAMESPACE = "complaints"

pytestmark = pytest.mark.api


@pytest.fixture
def kubectl(api_cluster: Any) -> Iterator[Any]:
    """Run kubectl in a namespace of our own; return its output, or what it was refused with."""
    api_cluster.client.install_crds(CRD)
    api_cluster.create_namespace(NAMESPACE)

    def run(*words: str, stdin: Any = None) -> str:
        try:
            text = json.dumps(stdin) if stdin is not None else ""
            answer: str = api_cluster.kubectl(*words, "--namespace", NAMESPACE, stdin=text)
        except CommandFailed as refused:
            return refused.stderr
        return answer

    yield run
    run("delete", "rmt", "--all", "--ignore-not-found")


def training(**spec: Any) -> dict[str, Any]:
    manifest = example("pointwise")
    manifest["metadata"] = {"name": "judge"}
    manifest["spec"].update(spec)
    return manifest


def test_kuberay_271_plain_kubectl_apply_takes_the_crd(api_cluster: Any) -> None:
    """The CRDs are above 262,144 bytes: plain `kubectl apply` fails on its own annotation."""
    api_cluster.kubectl("apply", "-f", str(CRD))
    found = api_cluster.client.get("crd", "rewardmodeltrainings.training.rrm.dev")
    kept = found["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert len(kept) < 262_144


def test_rl_2519_the_rows_are_frozen_once_there_is_a_checkpoint(kubectl: Any) -> None:
    """Changed rows beside an old state of the data loader: samples are skipped without a word."""
    kubectl("apply", "-f", "-", stdin=training())
    patch = '{"status": {"checkpoints": {"latestStep": 12}}}'
    kubectl("patch", "rmt", "judge", "--subresource=status", "--type=merge", "-p", patch)
    source = {"format": "helpsteer2_pointwise", "uri": "hf://somebody/Else"}
    assert "spec.data" in kubectl("apply", "-f", "-", stdin=training(data={"train": [source]}))


def test_dask_kubernetes_655_an_invalid_spec_is_refused_when_it_is_applied(kubectl: Any) -> None:
    """An invalid spec makes the cluster hang instead of failing."""
    refused = kubectl("apply", "-f", "-", stdin=training(workers={"nodes": 0}))
    assert "spec.workers.nodes" in refused


def test_kuberay_4042_a_new_training_is_not_up_to_date_from_its_birth(kubectl: Any) -> None:
    """RayJob's observedGeneration is a field that nothing sets: tools take a new one for finished."""
    kubectl("apply", "-f", "-", stdin=training())
    found = json.loads(kubectl("get", "rmt", "judge", "-o", "json"))
    assert found["status"]["observedGeneration"] == -1
