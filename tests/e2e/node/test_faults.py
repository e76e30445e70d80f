"""One real training that everything happens to, on a real node.

attempt 1   a worker pod is deleted while it trains   it saves and leaves: Drained, not one step lost
attempt 2   the head pod is deleted                   ClusterLost, its pods gone before anything else
attempt 3   the rollout server is killed in its pod   verl hangs for ever: NoProgress at the stall deadline
attempt 4   goes on from the checkpoint to the end, with the image as trainer_image/Dockerfile builds it

What the trainer itself plays no part in is tested in `test_survival`, in seconds.
"""

import json
from concurrent.futures import Future
from typing import Any

import pytest

from rrm.train.checkpoints import list_checkpoints
from rrm_api.layout import Layout
from rrm_test_cluster import Cluster
from rrm_test_cluster.demo.ground import Ground
from rrm_test_cluster.demo.install import Images, chart_values, install_operator

pytestmark = [pytest.mark.node, pytest.mark.verl]

NAME = "unlucky"
MINE = f"training.rrm.dev/training={NAME}"
STARTED_WITHIN = 600.0
"""Seconds from apply to the first steps on two busy cores: eleven processes import torch in turn."""
SAVE_EVERY = 2
STALL_SECONDS = 90
ROLLOUT_SERVER = "'[V]LLM::'"
UPDATING = "'[r]ay::WorkerDict.*update_actor'"
"""What vLLM and Ray call their processes; brackets keep a shell that looks for one from finding itself."""


def short(steps: int, *, image: str | None = None) -> Any:
    """Return a change: as few rows and steps as make a checkpoint; an image of its own, or the default."""

    def change(spec: dict[str, Any]) -> None:
        if image is not None:
            spec["image"] = image
        spec["training"] |= {"maxSteps": steps, "evaluateEverySteps": SAVE_EVERY}
        spec["data"]["validation"]["sources"][0]["limit"] = 8
        spec["checkpoints"]["everySteps"] = SAVE_EVERY
        spec["policy"] = {"restartBackoffSeconds": 1, "stallDeadlineSeconds": STALL_SECONDS}

    return change


def resting(spec: dict[str, Any]) -> None:
    short(200)(spec)
    spec["suspend"] = True


@pytest.fixture(scope="module")
def unlucky(make_namespace: Any) -> Any:
    trainings = make_namespace("faults")
    trainings.apply(NAME, short(200))
    return trainings


def whole_steps(trainings: Any) -> list[int]:
    layout = Layout(trainings.volume(NAME), NAME)
    return [found.step for found in list_checkpoints(layout.checkpoints) if found.is_whole]


def steps_done(trainings: Any, attempt: int) -> list[int]:
    """Return the steps of an attempt, as the trainer itself wrote down their metrics."""
    file = Layout(trainings.volume(NAME), NAME).attempt(attempt) / "metrics.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    steps = [json.loads(line)["step"] for line in lines if line.endswith("}")]
    # A validation before the first step, or beside another, has a line of its own.
    return sorted({step for step in steps if step > 0})


def pod(trainings: Any, role: str) -> str:
    names: list[str] = trainings.names("pods", f"{MINE},training.rrm.dev/role={role}")
    return names[0] if names else ""


def attempts(trainings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = trainings.status(NAME).get("attempts", [])
    return found


def trains(trainings: Any, attempt: int) -> None:
    """Wait until an attempt has saved a checkpoint of its own."""

    def has_saved() -> bool:
        steps, newest = steps_done(trainings, attempt), attempts(trainings)[-1:]
        if not steps or newest[0]["number"] != attempt:
            return False
        # The status says a little later where the trainer went on from.
        is_told = newest[0].get("fromStep") == steps[0] - 1
        return is_told and max(whole_steps(trainings), default=0) >= steps[0]

    trainings.wait_for(f"a checkpoint of attempt {attempt}", has_saved, seconds=STARTED_WITHIN)


def ended(trainings: Any, attempt: int, *, seconds: float) -> dict[str, Any]:
    """Wait for the end of an attempt, and return it as the status tells it."""

    def over() -> dict[str, Any] | None:
        known = {it["number"]: it for it in attempts(trainings)}
        found = known.get(attempt, {})
        return found if found.get("endTime") else None

    found: dict[str, Any] = trainings.wait_for(f"the end of attempt {attempt}", over, seconds=seconds)
    print(f"attempt {attempt}: {found}")
    return found


def test_a_deleted_worker_saves_and_not_one_step_is_lost(unlucky: Any) -> None:
    trains(unlucky, 1)
    unlucky.kubectl("delete", "pod", pod(unlucky, "worker"), "--wait=false")
    first = ended(unlucky, 1, seconds=120)
    assert first["reason"] == "Drained"
    assert max(whole_steps(unlucky)) == first["savedStep"] == steps_done(unlucky, 1)[-1]
    trains(unlucky, 2)
    assert attempts(unlucky)[1]["fromStep"] == first["savedStep"]
    assert steps_done(unlucky, 2)[0] == first["savedStep"] + 1


def test_a_deleted_head_is_seen_within_20_s_and_its_pods_go_before_anything_else(unlucky: Any) -> None:
    kept, old = max(whole_steps(unlucky)), attempts(unlucky)[1]["cluster"]
    unlucky.kubectl("delete", "pod", pod(unlucky, "head"), "--wait=false")
    second = ended(unlucky, 2, seconds=20)
    assert second["reason"] == "ClusterLost"
    assert "head" in second["message"]
    unlucky.wait_for(
        "the next RayCluster",
        lambda: set(unlucky.names("rayclusters", MINE)) - {old},
        seconds=STARTED_WITHIN,
    )
    assert unlucky.names("pods", f"{MINE},ray.io/cluster={old}") == []
    trains(unlucky, 3)
    third = attempts(unlucky)[2]
    assert third["fromStep"] >= kept
    assert steps_done(unlucky, 3)[0] == third["fromStep"] + 1
    # verl saves a step before it tells of it.
    assert -1 <= steps_done(unlucky, 2)[-1] - third["fromStep"] <= SAVE_EVERY


def test_a_rollout_server_that_is_killed_hangs_verl_until_the_stall_deadline(unlucky: Any) -> None:
    # Killed while it answers, verl may notice: killed before its weights are sent to it, verl waits for ever.
    script = f"until pgrep -f {UPDATING}; do sleep 0.05; done; pkill -KILL -f {ROLLOUT_SERVER}"
    unlucky.kubectl("exec", pod(unlucky, "worker"), "-c", "ray-worker", "--", "sh", "-c", script)
    third = ended(unlucky, 3, seconds=2 * STALL_SECONDS + 60)
    assert third["reason"] == "NoProgress"
    assert "stallDeadlineSeconds" in third["message"]


def test_it_goes_on_from_its_checkpoint_with_the_image_as_its_dockerfile_builds_it(
    unlucky: Any, ground: Ground, node_cluster: Cluster, whole_image: "Future[str]"
) -> None:
    whole = whole_image.result()
    # It rests meanwhile: an attempt that had begun would go on with what it began with.
    unlucky.apply(NAME, resting)
    unlucky.wait_for(
        "its rest", lambda: unlucky.status(NAME).get("stage") == "Suspended", seconds=STARTED_WITHIN
    )
    kept = max(whole_steps(unlucky))
    image = ground.values["image"]
    operator = f"{image['repository']}:{image['tag']}"
    # No pod template: nothing of this host is mounted, all comes from the image.
    install_operator(ground.client, chart_values(Images(operator, whole, pull_policy="Never")))
    # Another default alone would change nothing: what a training was prepared with is pinned.
    unlucky.apply(NAME, short(kept + SAVE_EVERY, image=whole))
    unlucky.wait_for(
        "a head of the whole image",
        lambda: whole in images_of(unlucky, node_cluster),
        seconds=STARTED_WITHIN,
    )
    seen = unlucky.until(NAME, lambda glimpse: glimpse.is_decided, seconds=STARTED_WITHIN)
    assert seen["status"]["stage"] == "Succeeded", seen["status"]
    assert attempts(unlucky)[-1]["fromStep"] == kept
    assert seen["status"]["export"]["path"]


def images_of(trainings: Any, cluster: Cluster) -> set[str]:
    """Return the images of the head pod, which mounts no environment of this host."""
    if not (name := pod(trainings, "head")):
        return set()
    head = cluster.client.get("pod", name, namespace=trainings.namespace)
    mounted = [it for it in head["spec"]["volumes"] if it["name"] == "trainer-env"]
    return set() if mounted else {container["image"] for container in head["spec"]["containers"]}
