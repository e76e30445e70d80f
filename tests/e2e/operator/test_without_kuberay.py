"""The operator beside an API server alone: no controllers, and at first no KubeRay."""

import json
from typing import Any

import pytest

from rrm_test_cluster import Cluster, Level
from rrm_test_cluster.errors import Missing
from rrm_test_cluster.rig.operator_process import chart_rules

pytestmark = pytest.mark.api


@pytest.fixture
def bare_cluster(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An API server of one's own: its KubeRay CRDs come and go."""
    try:
        with Cluster.start(Level.API, tmp_path_factory.mktemp("bare")) as cluster:
            yield cluster
    except Missing as missing:
        pytest.skip(str(missing))


def test_kuberay_that_is_missing_is_told_and_its_coming_and_going_is_seen(
    bare_cluster: Any, make_world: Any, manifest: Any
) -> None:
    world = make_world(bare_cluster)
    world.operator.start()
    world.apply(manifest("judge"))

    world.until("KubeRayMissing", lambda: world.condition("judge", "Stalled").get("status") == "True")
    assert world.condition("judge", "Stalled")["reason"] == "KubeRayMissing"
    assert "helm install kuberay-operator" in world.condition("judge", "Stalled")["message"]
    assert world.condition("judge", "Ready")["status"] == "False"

    bare_cluster.install_kuberay_crds()
    world.stage("judge", "Preparing")
    assert world.condition("judge", "Stalled")["status"] == "False"
    (job,) = world.until("the prepare Job", lambda: world.names("job"))
    assert job.startswith("judge-prepare")

    bare_cluster.kubectl("delete", "crd", "rayclusters.ray.io")
    world.stage("judge", "Stalled")
    assert world.condition("judge", "Stalled")["reason"] == "KubeRayMissing"
    assert world.operator.stop() == 0


def test_the_chart_s_rights_are_enough_and_a_missing_one_is_seen(
    make_world: Any, api_cluster: Any, manifest: Any
) -> None:
    api_cluster.install_kuberay_crds()
    world = make_world(api_cluster)
    world.operator.start()
    world.apply(manifest("judge"))
    world.stage("judge", "Preparing")
    world.until("the prepare Job", lambda: world.names("job"))
    assert [it for it in world.operator.asked() if it.code in (401, 403)] == []

    # The same operator with one verb less: the test above would have failed.
    world.operator.stop()
    less = [rule for rule in chart_rules() if rule["resources"] != ["jobs"]]
    world.operator.rules[:] = [
        *less,
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list", "watch"]},
    ]
    world.operator.install()
    world.operator.start()
    world.apply(manifest("other"))
    world.until("a refused request", lambda: [it for it in world.operator.asked() if it.code == 403])
    refused = {(it.verb, it.resource) for it in world.operator.asked() if it.code == 403}
    assert refused == {("create", "jobs")}


def test_an_operator_without_a_key_ends_and_prints_the_command_that_makes_one(
    make_world: Any, api_cluster: Any
) -> None:
    world = make_world(api_cluster)
    for key in (world.operator.folder / "keys").iterdir():
        key.unlink()
    with pytest.raises(Exception, match="create secret generic rrm-ray-keys"):
        world.operator.start()


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        pytest.param("judge", {"workers": {"nodes": 0}}, "spec.workers.nodes", id="no node"),
        pytest.param("j" * 41, {}, "at most 40 characters", id="a name of 41 characters"),
        pytest.param(
            "judge",
            {"reward": {"linear": {}, "exponential": {"k": "2"}}},
            "exactly one of exponential, linear",
            id="two kinds of reward",
        ),
        pytest.param(
            "judge",
            {"env": [{"name": "HF_TOKEN", "value": "hf_secret"}]},
            "valueFrom.secretKeyRef",
            id="a secret in plain",
        ),
    ],
)
def test_a_spec_that_cannot_work_is_refused_before_the_operator_sees_it(
    make_world: Any, api_cluster: Any, manifest: Any, name: str, spec: Any, words: str
) -> None:
    world = make_world(api_cluster)
    with pytest.raises(Exception, match=words):
        world.apply(manifest(name, **spec))
    assert json.loads(world.cluster.kubectl("get", "rmt", "-n", world.namespace, "-o", "json"))["items"] == []
