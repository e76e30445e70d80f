"""The commands of docs/guides/gitops.md as a person pastes them: the real kubectl, a real API server."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster import Cluster
from rrm_test_cluster.tools import find_tools

ROOT = Path(__file__).parents[3]
CRD = ROOT / "crds/training.rrm.dev_rewardmodeltrainings.yaml"
GUIDE = ROOT / "docs/guides/gitops.md"
NAMESPACE = "gitops"
MESSAGE = "attempt 4 ended: no room; correct the cause"

pytestmark = pytest.mark.api


def block(language: str, word: str) -> str:
    """Return the block of the guide that begins with a word."""
    text = GUIDE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n({word}.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def cluster(api_cluster: Cluster) -> Cluster:
    api_cluster.client.install_crds(CRD)
    api_cluster.create_namespace(NAMESPACE)
    return api_cluster


@pytest.fixture
def environment(cluster: Cluster, tmp_path: Path) -> dict[str, str]:
    """A shell of a person whose current context is in our namespace."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = NAMESPACE
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    path = f"{find_tools().path('kubectl').parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}


def bash(script: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(["bash", "-c", script], env=environment, cwd=ROOT, text=True, **pipes)


def create(cluster: Cluster, name: str) -> None:
    manifest = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
    manifest["metadata"] |= {"name": name, "namespace": NAMESPACE}
    cluster.apply(manifest)


def say(cluster: Cluster, name: str, *, generation: int = 1, **conditions: str) -> None:
    """Write a status as the operator does, of a generation of the spec."""
    common = {
        "reason": "Unschedulable",
        "message": MESSAGE,
        "lastTransitionTime": "2026-03-01T10:00:00Z",
        "observedGeneration": generation,
    }
    told = [{"type": kind, "status": it, **common} for kind, it in conditions.items()]
    status: dict[str, Any] = {"observedGeneration": generation, "conditions": told}
    cluster.client.patch_status("rmt", name, {"status": status}, namespace=NAMESPACE)


def test_a_script_ends_with_the_training_whichever_way_it_ends(
    cluster: Cluster, environment: dict[str, str]
) -> None:
    script = block("bash", "name=helpful-judge")
    names = ("succeeds", "stalls", "vanishes", "was-corrected")
    for name in names:
        create(cluster, name)
    say(cluster, "was-corrected", Stalled="True", Succeeded="Unknown")
    edit = '{"spec": {"policy": {"maxRestarts": 4}}}'
    cluster.kubectl("patch", "rmt", "was-corrected", "-n", NAMESPACE, "--type", "merge", "-p", edit)
    waits = {name: bash(script.replace("helpful-judge", name), environment) for name in names}
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            waits["was-corrected"].wait(timeout=13)  # The Stalled of an older spec is no reason to end.
        assert {name for name, it in waits.items() if it.poll() is not None} == set()
        say(cluster, "succeeds", Stalled="False", Succeeded="True")
        say(cluster, "stalls", Stalled="True", Succeeded="Unknown")
        cluster.kubectl("delete", "rmt", "vanishes", "-n", NAMESPACE)
        say(cluster, "was-corrected", generation=2, Stalled="False", Succeeded="True")
        told = {name: it.communicate(timeout=60) for name, it in waits.items()}
    finally:
        for it in waits.values():
            it.kill()
    assert {name: it.returncode for name, it in waits.items()} == {
        "succeeds": 0,
        "stalls": 1,
        "vanishes": 2,
        "was-corrected": 0,
    }
    assert told["stalls"][1] == f"{MESSAGE}\n"
    assert '"vanishes" not found' in told["vanishes"][1]


def test_a_training_is_of_no_observed_spec_from_its_birth(cluster: Cluster) -> None:
    create(cluster, "newborn")
    born = cluster.client.get("rmt", "newborn", namespace=NAMESPACE)
    assert (born["metadata"]["generation"], born["status"]["observedGeneration"]) == (1, -1)
    assert born["status"]["conditions"] == [], "`kubectl wait` gives up on what has none at all"


def test_the_command_for_argo_cd_adds_its_key_and_leaves_the_others(
    cluster: Cluster, environment: dict[str, str]
) -> None:
    cluster.create_namespace("argocd")
    others = {"url": "https://argocd.example.com"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "data": others}
    cluster.apply(config_map | {"metadata": {"name": "argocd-cm", "namespace": "argocd"}})
    done = bash(block("", "kubectl create configmap argocd-cm"), environment)
    _, errors = done.communicate(timeout=60)
    assert (done.returncode, errors) == (0, "")
    data = cluster.client.get("configmap", "argocd-cm", namespace="argocd")["data"]
    script = (ROOT / "charts/rrm-operator/files/argocd-health.lua").read_text(encoding="utf-8")
    assert data == others | {
        "resource.customizations.health.training.rrm.dev_RewardModelTraining": script,
    }
