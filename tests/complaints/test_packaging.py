"""Group f: GitOps, Helm, security, cleaning up."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_operator.facts import Kind
from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.tools import KUBERNETES, find_tools
from tests.complaints import lives

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "rrm-operator"
CRD = CHART / "files" / "crd.yaml"
APPLY_LIMIT_BYTES = 262_144


def rules() -> list[dict[str, Any]]:
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    return loaded["cluster"] + loaded["namespaced"]


def verbs_on(resource: str) -> set[str]:
    return {verb for rule in rules() if resource in rule["resources"] for verb in rule["verbs"]}


async def test_kuberay_4149_nobody_fights_about_the_number_of_workers(operator: Any) -> None:
    """Argo CD and the autoscaler both write `replicas`, in turn and for ever."""
    world = await lives.live_until_training(operator)
    cluster = lives.applied(world, Kind.RAY_CLUSTER)
    (workers,) = cluster["spec"]["workerGroupSpecs"]
    assert workers["minReplicas"] == workers["replicas"] == workers["maxReplicas"]
    assert "enableInTreeAutoscaling" not in cluster["spec"]
    assert "suspend" not in cluster["spec"], "that field is Kueue's"
    touched = [line for line in world.log if "RayCluster" in line]
    assert touched == [f"create RayCluster {lives.CLUSTER}"]


def test_kuberay_4149_the_spec_in_git_is_written_by_nobody_else() -> None:
    """What a controller writes into the spec is drift to whoever compares it with Git."""
    assert verbs_on("rewardmodeltrainings") == {"list", "watch"}


def test_operate_first_support_1189_the_crd_can_be_applied_from_the_client() -> None:
    """The CRDs are above 262,144 bytes: plain `kubectl apply` fails on its own annotation."""
    crd = yaml.safe_load(CRD.read_text())
    assert len(json.dumps(crd)) < APPLY_LIMIT_BYTES / 2


def helm(*flags: str) -> list[dict[str, Any]]:
    try:
        binary = find_tools().path("helm")
    except ClusterError as error:
        pytest.skip(str(error))
    command = [str(binary), "template", "rrm", str(CHART), "--kube-version", KUBERNETES, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    return [it for it in yaml.safe_load_all(done.stdout) if it]


@pytest.mark.api
def test_kuberay_672_an_upgrade_of_the_chart_upgrades_the_crd() -> None:
    """Helm never upgrades what lies in a chart's folder `crds/`."""
    assert not (CHART / "crds").exists()
    (crd,) = (it for it in helm() if it["kind"] == "CustomResourceDefinition")
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert crd["spec"] == yaml.safe_load(CRD.read_text())["spec"]


async def test_kuberay_1944_what_costs_goes_after_a_while_and_the_record_stays(operator: Any) -> None:
    """A RayJob that has ended stays for ever, with all that belongs to it."""
    operator.world.edit(lambda spec: spec.update(policy={"ttlSecondsAfterFinished": 3600}))
    world = await lives.live_until_training(operator)
    world.train_ends()
    assert await lives.ended(operator) == "Exporting"
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"
    assert world.named(Kind.JOB)
    assert await lives.pass_time(operator, 3601) == "Succeeded"
    assert world.named(Kind.JOB) == world.named(Kind.RAY_CLUSTER) == []
    assert world.status["export"]["path"]


async def test_kuberay_4115_the_job_api_wants_a_token(operator: Any) -> None:
    """The dashboard is open to everybody: whoever reaches it runs what he likes."""
    world = await lives.live_until_starting(operator)
    auth = lives.applied(world, Kind.RAY_CLUSTER)["spec"]["authOptions"]
    assert auth["mode"] == "token"
    token = lives.applied(world, Kind.SECRET)
    assert token["metadata"]["name"] == auth["secretName"]
    assert len(token["stringData"]["auth_token"]) >= 32
    assert world.submissions[0].endpoint.token == token["stringData"]["auth_token"]


async def test_kuberay_4115_the_pods_are_fenced_in(operator: Any) -> None:
    """No network policy comes with a cluster."""
    world = await lives.live_until_starting(operator)
    policy = lives.applied(world, Kind.NETWORK_POLICY)["spec"]
    assert "Ingress" in policy["policyTypes"]
    assert all(rule.get("from") for rule in policy["ingress"]), "nothing is open to everybody"


def test_kuberay_4520_no_secret_is_ever_read() -> None:
    """The operator's role reads every secret of the cluster."""
    assert verbs_on("secrets") == {"create"}


@pytest.mark.api
def test_trainer_3429_the_chart_brings_monitor_alerts_and_dashboard() -> None:
    """Neither a ServiceMonitor nor a dashboard comes with it: both are on the roadmap."""
    parts = ("serviceMonitor", "prometheusRule", "dashboard")
    switched_on = helm("--set", ",".join(f"metrics.{it}.enabled=true" for it in parts))
    found = {it["kind"]: it for it in switched_on}
    assert {"Service", "ServiceMonitor", "PrometheusRule", "ConfigMap"} <= found.keys()
    assert found["ConfigMap"]["metadata"]["labels"]["grafana_dashboard"] == "1"


async def test_trainer_2779_progress_needs_no_right_but_one_config_map(operator: Any) -> None:
    """Progress in the status needs a server of its own, or pods that may write the API."""
    world = await lives.live_until_training(operator)
    assert world.status["progress"]["step"] == 3
    (rule,) = lives.applied(world, Kind.ROLE)["rules"]
    assert rule["resources"] == ["configmaps"]
    assert rule["resourceNames"] == ["tiny-judge-progress"]
    assert set(rule["verbs"]) == {"get", "watch", "patch"}
