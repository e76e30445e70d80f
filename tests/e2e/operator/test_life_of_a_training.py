"""A training's life with real KubeRay on fake nodes; Ray and the trainer answer by command."""

from typing import Any

import pytest

from rrm_test_cluster.rig.operator_process import OperatorProcess

pytestmark = pytest.mark.fakenodes


def refused(operator: OperatorProcess) -> list[Any]:
    return [asked for asked in operator.asked() if asked.code in (401, 403)]


def test_a_training_goes_from_apply_to_succeeded_and_gives_its_gpus_back(world: Any, manifest: Any) -> None:
    judge = world.apply(manifest("judge"))

    world.stage("judge", "Preparing")
    assert world.all("raycluster") == []
    judge.prepared()
    judge.end_pod("prepare")

    status = world.stage("judge", "Starting")
    assert status["attempt"] == 1
    assert status["cluster"] == {**status["cluster"], "name": "judge-c1", "readyNodes": 2, "nodes": 2}
    world.until("a submission", lambda: world.ray.submitted)
    uid = world.get("rmt", "judge")["metadata"]["uid"]
    assert world.ray.ids(f"{world.namespace}/judge-c1") == [f"{uid[:8]}-a1"]

    judge.progress(1, step=3)
    assert world.stage("judge", "Training")["progress"]["step"] == 3
    assert world.condition("judge", "Ready")["status"] == "True"

    judge.trained()
    world.until("the RayCluster's deletion", lambda: not world.all("raycluster"), seconds=60)
    world.stage("judge", "Exporting")
    pods = [
        pod["metadata"]["name"] for pod in world.all("pod") if "ray.io/cluster" in pod["metadata"]["labels"]
    ]
    assert pods == []

    judge.exported()
    judge.end_pod("export")
    status = world.stage("judge", "Succeeded")
    assert status["observedGeneration"] == world.get("rmt", "judge")["metadata"]["generation"]
    assert world.condition("judge", "Succeeded")["status"] == "True"
    assert status["export"]["path"] == "judge/export"
    reasons = {it["reason"] for it in world.all("event") if it["involvedObject"]["name"] == "judge"}
    assert {"Preparing", "Provisioning", "Starting", "Training", "Exporting", "Succeeded"} <= reasons
    assert refused(world.operator) == []
