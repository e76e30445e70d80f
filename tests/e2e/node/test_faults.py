"""One training that everything happens to, on a real node.

attempt 1   the head pod is deleted while it trains       ClusterLost, its pods gone, checkpoint kept
attempt 2   the training process is killed as it starts   TrainingFailed with its exit code and last words
attempt 3   goes on from the checkpoint to the end, with the image as trainer_image/Dockerfile builds it
"""

import json
from concurrent.futures import Future
from datetime import datetime
from typing import Any

import pytest

from rrm.train.checkpoints import list_checkpoints
from rrm_api.run import Layout
from rrm_test_cluster import Cluster
from rrm_test_cluster.demo.ground import Ground
from rrm_test_cluster.demo.install import Images, chart_values, install_operator

pytestmark = [pytest.mark.node, pytest.mark.verl]

NAME = "unlucky"
MINE = f"training.rrm.dev/training={NAME}"
RAY_PODS = f"{MINE},ray.io/is-ray-node=yes"
STARTED_WITHIN = 600.0
"""Seconds from apply to the first steps on two busy cores: eleven processes import torch in turn."""
CHILD = "rrm.train.child"


def short(steps: int) -> Any:
    """Return a change: as few rows and steps as make a checkpoint."""

    def change(spec: dict[str, Any]) -> None:
        spec["training"] |= {"maxSteps": steps, "evaluateEverySteps": 2}
        spec["data"]["validation"]["sources"][0]["limit"] = 8
        spec["checkpoints"]["everySteps"] = 2

    return change


@pytest.fixture(scope="module")
def unlucky(make_namespace: Any) -> Any:
    trainings = make_namespace("faults")
    trainings.apply(NAME, short(40))
    return trainings


def whole_steps(trainings: Any) -> list[int]:
    layout = Layout(trainings.volume(NAME), NAME)
    return [found.step for found in list_checkpoints(layout.checkpoints) if found.is_whole]


def saved_step(trainings: Any) -> int:
    """Return the step of the newest checkpoint that the status tells of, 0 before the first."""
    return int(trainings.status(NAME).get("checkpoints", {}).get("latestStep", 0))


def pod(trainings: Any, role: str) -> str:
    names: list[str] = trainings.names("pods", f"{MINE},training.rrm.dev/role={role}")
    return names[0] if names else ""


def attempts(trainings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = trainings.status(NAME).get("attempts", [])
    return found


def test_a_deleted_head_is_seen_within_20_s_and_its_pods_go_before_anything_else(unlucky: Any) -> None:
    unlucky.wait_for("a whole checkpoint", lambda: saved_step(unlucky), seconds=STARTED_WITHIN)
    unlucky.kubectl("delete", "pod", pod(unlucky, "head"), "--wait=false")
    unlucky.wait_for(
        "the loss in the conditions",
        lambda: unlucky.condition(NAME, "Ready").get("reason") not in ("Training", ""),
        seconds=20,
    )
    seen = unlucky.until(NAME, lambda glimpse: glimpse.is_decided, seconds=180)
    assert unlucky.names("pods", RAY_PODS) == []
    assert unlucky.names("rayclusters") == []
    assert [attempt["number"] for attempt in seen["status"]["attempts"]] == [1]
    assert "head" in seen["status"]["failure"]["message"]


def test_checkpoints_outlive_the_cluster_that_wrote_them(unlucky: Any) -> None:
    unlucky.until(NAME, lambda glimpse: glimpse.is_decided, seconds=180)
    assert whole_steps(unlucky)
    assert unlucky.status(NAME)["checkpoints"]["latestStep"] == max(whole_steps(unlucky))


def test_a_killed_training_process_is_told_with_its_exit_code_and_last_words(
    unlucky: Any, node_cluster: Cluster
) -> None:
    kept = whole_steps(unlucky)
    unlucky.apply(NAME, short(42))
    unlucky.wait_for("attempt 2", lambda: len(attempts(unlucky)) == 2, seconds=STARTED_WITHIN)
    unlucky.wait_for("the training process", lambda: child_pid(unlucky), seconds=120)
    log = Layout(unlucky.volume(NAME), NAME).attempt(2) / "job.log"
    unlucky.wait_for("its first words", lambda: log.exists() and log.stat().st_size, seconds=120)
    unlucky.kubectl("exec", pod(unlucky, "head"), "-c", "ray-head", "--", "pkill", "-KILL", "-f", CHILD)
    seen = unlucky.until(NAME, lambda glimpse: glimpse.is_decided, seconds=180)
    failure = seen["status"]["failure"]
    assert failure["reason"] == "TrainingFailed"
    assert failure["exitCode"] == 137
    assert failure["logTail"].strip()
    assert whole_steps(unlucky) == kept
    assert seconds_to_deletion(unlucky, node_cluster) <= 5


def child_pid(trainings: Any) -> str:
    """Return the process id of the trainer in the head pod, empty before it runs."""
    # The brackets keep the shell that runs this from finding itself.
    script = f"pgrep -f [{CHILD[0]}]{CHILD[1:]} || true"
    found: str = trainings.kubectl("exec", pod(trainings, "head"), "-c", "ray-head", "--", "sh", "-c", script)
    return found.strip()


def seconds_to_deletion(trainings: Any, cluster: Cluster) -> float:
    """Return the time from the trainer's record to the first DELETE of the RayCluster, by the audit log."""
    progress = cluster.client.get("configmap", f"{NAME}-progress", namespace=trainings.namespace)
    finished = json.loads(progress["data"]["train"])["finishedTime"]
    entries = [json.loads(line) for line in cluster.audit_log.read_text().splitlines() if line.endswith("}")]
    asked = [
        entry["requestReceivedTimestamp"]
        for entry in entries
        if entry["verb"] == "delete"
        and entry.get("objectRef", {}).get("resource") == "rayclusters"
        and entry["objectRef"].get("name") == f"{NAME}-c2"
    ]
    return (datetime.fromisoformat(min(asked)) - datetime.fromisoformat(finished)).total_seconds()


def test_it_goes_on_from_its_checkpoint_with_the_image_as_its_dockerfile_builds_it(
    unlucky: Any, ground: Ground, node_cluster: Cluster, whole_image: "Future[str]"
) -> None:
    kept, whole = max(whole_steps(unlucky)), whole_image.result()
    image = ground.values["image"]
    operator = f"{image['repository']}:{image['tag']}"
    # No pod template: nothing of this host is mounted, all comes from the image.
    install_operator(ground.client, chart_values(Images(operator, whole, pull_policy="Never")))
    unlucky.apply(NAME, short(kept + 2))
    unlucky.wait_for("attempt 3", lambda: len(attempts(unlucky)) == 3, seconds=STARTED_WITHIN)
    head = node_cluster.client.get("pod", pod(unlucky, "head"), namespace=unlucky.namespace)
    assert {container["image"] for container in head["spec"]["containers"]} == {whole}
    assert not [volume for volume in head["spec"]["volumes"] if volume["name"] == "trainer-env"]
    seen = unlucky.until(NAME, lambda glimpse: glimpse.is_decided, seconds=STARTED_WITHIN)
    assert seen["status"]["stage"] == "Succeeded", seen["status"]
    assert attempts(unlucky)[-1]["fromStep"] == kept
    assert seen["status"]["export"]["path"]
