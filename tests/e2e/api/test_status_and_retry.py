"""`rrm status` and `rrm retry` as processes against a real API server, with a person's kubeconfig."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster import Cluster

ROOT = Path(__file__).parents[3]
CRD = ROOT / "crds/training.rrm.dev_rewardmodeltrainings.yaml"
NAMESPACE = "status-and-retry"
RETRY = "training.rrm.dev/retry"

pytestmark = pytest.mark.api


def condition(kind: str, status: str) -> dict[str, Any]:
    why = {"reason": "RestartsExhausted", "message": "attempt 1 ended; correct the cause"}
    return {"type": kind, "status": status, "lastTransitionTime": "2026-03-01T10:00:00Z", **why}


FAILED = {
    "stage": "Failed",
    "observedGeneration": 1,
    "attempt": 1,
    "conditions": [
        condition("Ready", "False"),
        condition("Stalled", "True"),
        condition("Succeeded", "False"),
    ],
    "attempts": [
        {
            "number": 1,
            "cluster": "helpful-judge-c1",
            "startTime": "2026-03-01T09:00:00Z",
            "endTime": "2026-03-01T10:00:00Z",
            "reason": "TrainerCrashed",
            "savedStep": 40,
        }
    ],
    "checkpoints": {"latestStep": 40},
    "gpuSeconds": {"held": 7200, "training": 5400, "time": "2026-03-01T10:00:00Z"},
}


PROXIES = ("http_proxy", "https_proxy", "all_proxy")
"""In either case: the API server of a test is near."""


def rrm(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}
    done = subprocess.run(
        [sys.executable, "-m", "rrm.cli", *arguments],
        env={**environment, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    print(done.stdout, done.stderr)
    return done


@pytest.fixture
def failed(api_cluster: Cluster) -> Cluster:
    """A training that has failed, in a namespace of its own."""
    api_cluster.client.install_crds(CRD)
    api_cluster.create_namespace(NAMESPACE)
    manifest = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
    manifest["metadata"]["namespace"] = NAMESPACE
    api_cluster.apply(manifest)
    api_cluster.client.patch_status("rmt", "helpful-judge", {"status": FAILED}, namespace=NAMESPACE)
    return api_cluster


def test_a_person_sees_what_failed_and_tries_it_again(failed: Cluster) -> None:
    here = ("-n", NAMESPACE)
    told = rrm(failed.kubeconfig, "status", "helpful-judge", *here)
    assert told.returncode == 0
    assert "RestartsExhausted  attempt 1 ended; correct the cause\n" in told.stdout
    assert "  wasted    0.50, 25 % of what was held\n" in told.stdout

    tried = rrm(failed.kubeconfig, "retry", "helpful-judge", *here)
    assert tried.returncode == 0
    assert "attempt 2 begins from step 40" in tried.stdout
    metadata = failed.client.get("rmt", "helpful-judge", namespace=NAMESPACE)["metadata"]
    assert metadata["annotations"][RETRY] in tried.stdout
    assert metadata["generation"] == 1
    shown = json.loads(
        failed.kubectl("get", "rmt", "helpful-judge", *here, "--show-managed-fields", "-o", "json")
    )
    owners = {it["manager"]: it["fieldsV1"] for it in shown["metadata"]["managedFields"]}
    assert owners["rrm"] == {"f:metadata": {"f:annotations": {".": {}, f"f:{RETRY}": {}}}}

    listed = rrm(failed.kubeconfig, "status", *here, "-o", "json")
    assert listed.returncode == 0
    (training,) = json.loads(listed.stdout)["trainings"]
    assert training["retryWaits"] is True

    failed.client.patch_status(
        "rmt", "helpful-judge", {"status": {"stage": "Succeeded"}}, namespace=NAMESPACE
    )
    refused = rrm(failed.kubeconfig, "retry", "helpful-judge", *here)
    assert (refused.returncode, refused.stdout) == (11, "")
    assert "has succeeded" in refused.stderr


def test_what_is_not_there_and_what_is_forbidden_have_exit_codes_of_their_own(failed: Cluster) -> None:
    absent = rrm(failed.kubeconfig, "status", "nobody", "-n", NAMESPACE)
    assert (absent.returncode, absent.stdout) == (11, "")
    assert '"nobody" not found' in absent.stderr
    stranger = failed.service_account_kubeconfig(NAMESPACE, "default")
    forbidden = rrm(stranger, "status", "helpful-judge", "-n", NAMESPACE)
    assert (forbidden.returncode, forbidden.stdout) == (20, "")
    assert f"system:serviceaccount:{NAMESPACE}:default" in forbidden.stderr
