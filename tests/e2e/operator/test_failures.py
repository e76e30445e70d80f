"""What goes wrong while training, with real KubeRay on fake nodes."""

from typing import Any

import pytest

pytestmark = pytest.mark.fakenodes
SECONDS_TO_SEE_A_LOST_HEAD = 20
"""Promised to users, so it is asserted and not measured."""


def training(world: Any, manifest: Any, **spec: Any) -> Any:
    """Bring a training to its third step."""
    judge = world.apply(manifest("judge", **spec))
    judge.prepared()
    world.until("a submission", lambda: world.ray.submitted, seconds=120)
    judge.progress(1, step=3)
    world.stage("judge", "Training")
    return judge


def ray_pods(world: Any) -> list[str]:
    pods = world.all("pod")
    return [it["metadata"]["name"] for it in pods if "ray.io/cluster" in it["metadata"].get("labels", {})]


def deletions(world: Any) -> set[str]:
    return {it.name for it in world.operator.asked() if (it.verb, it.resource) == ("delete", "rayclusters")}


def test_a_training_process_that_dies_for_good_is_told_with_exit_code_and_last_words(
    world: Any, manifest: Any
) -> None:
    judge = training(world, manifest, policy={"maxRestarts": 0})

    judge.failed(exit_code=20, log_tail="step 3\nRuntimeError: CUDA error")
    status = world.stage("judge", "Failed", seconds=120)

    assert ray_pods(world) == []
    (attempt,) = status["attempts"]
    assert (attempt["reason"], attempt["toStep"]) == ("TrainerCrashed", 3)
    failure = status["failure"]
    assert (failure["reason"], failure["exitCode"]) == ("RestartsExhausted", 20)
    assert "RuntimeError: CUDA error" in failure["logTail"]
    assert world.condition("judge", "Stalled")["reason"] == "RestartsExhausted"
    assert world.condition("judge", "Succeeded")["status"] == "False"
    assert "judge-checkpoints" in world.names("pvc")
    assert deletions(world) == {"judge-c1"}


def test_a_training_process_that_dies_twice_among_healthy_pods_gets_new_ones(
    world: Any, manifest: Any
) -> None:
    judge = training(world, manifest, policy={"restartBackoffSeconds": 1})
    judge.failed(1, exit_code=20, log_tail="RuntimeError: NCCL error")
    world.until("attempt 2", lambda: len(world.ray.submitted) == 2, seconds=120)
    judge.progress(2, step=1)
    judge.failed(2, exit_code=20, log_tail="RuntimeError: NCCL error")
    world.until("attempt 3", lambda: len(world.ray.submitted) == 3, seconds=120)

    clusters = [it.cluster.rpartition("/")[2] for it in world.ray.submitted]
    assert clusters == ["judge-c1", "judge-c1", "judge-c3"]
    judge.progress(3, step=1)
    attempts = world.stage("judge", "Training")["attempts"]
    assert [it.get("restarts", 0) for it in attempts] == [0, 1, 2]


def test_a_failed_training_is_tried_again_when_its_spec_is_changed(world: Any, manifest: Any) -> None:
    judge = training(world, manifest)
    judge.failed(exit_code=11, log_tail="bad override")
    world.stage("judge", "Failed", seconds=120)

    judge = world.apply(manifest("judge", training={"learningRate": "2e-6"}))
    judge.prepared()

    world.until("attempt 2", lambda: len(world.ray.submitted) == 2, seconds=120)
    assert world.names("raycluster") == ["judge-c2"]
    judge.progress(2, step=5)
    status = world.stage("judge", "Training")
    assert [it["number"] for it in status["attempts"]] == [1, 2]
    assert status.get("failure") is None


def test_a_deleted_head_is_seen_and_its_worker_gone_before_another_cluster_is_made(
    world: Any, manifest: Any
) -> None:
    judge = training(world, manifest, policy={"restartBackoffSeconds": 1})
    head = next(name for name in ray_pods(world) if "head" in name)

    world.cluster.kubectl("delete", "pod", head, "--namespace", world.namespace, "--wait=false")
    world.until("the loss of the head", lambda: deletions(world), seconds=SECONDS_TO_SEE_A_LOST_HEAD)
    world.until("a second RayCluster", lambda: "judge-c2" in world.names("raycluster"), seconds=120)

    assert not [name for name in ray_pods(world) if name.startswith("judge-c1")]
    world.until("attempt 2", lambda: len(world.ray.submitted) == 2, seconds=120)
    judge.progress(2, step=4)
    status = world.stage("judge", "Training")
    assert [it["reason"] for it in status["attempts"][:1]] == ["ClusterLost"]
    assert status.get("failure") is None


def test_wrong_data_stalls_without_a_gpu_and_goes_on_when_the_spec_is_fixed(
    world: Any, manifest: Any
) -> None:
    message = "train.jsonl line 7: expected JSON, found '{'"
    judge = world.apply(manifest("judge"))
    world.stage("judge", "Preparing")
    judge.prepared(result="Failed", reason="DataInvalid", message=message, exitCode=10, prepared=None)
    judge.end_pod("prepare", exit_code=10)

    status = world.stage("judge", "Stalled")
    assert world.condition("judge", "Stalled")["reason"] == "DataInvalid"
    assert message in status["failure"]["message"]
    assert world.all("raycluster") == []

    source = {"format": "helpsteer2_pointwise", "uri": "hf://nvidia/HelpSteer2", "split": "train"}
    judge = world.apply(manifest("judge", data={"train": [source]}))
    world.stage("judge", "Preparing")
    judge.prepared()
    world.stage("judge", "Starting", seconds=120)


def test_a_deleted_training_leaves_no_child_but_its_volume(world: Any, manifest: Any) -> None:
    training(world, manifest)
    world.cluster.kubectl("delete", "rmt", "judge", "--namespace", world.namespace)
    kinds = ("raycluster", "job", "pod", "role", "rolebinding")
    world.until("its children gone", lambda: not any(world.all(kind) for kind in kinds), seconds=120)
    assert "judge-checkpoints" in world.names("pvc")
    assert not [name for name in world.names("configmap") if name.startswith("judge")]


def test_what_the_operator_was_not_there_to_see_is_seen_when_it_is_back(world: Any, manifest: Any) -> None:
    judge = training(world, manifest)
    world.operator.kill()
    judge.trained()
    world.operator.start()
    world.stage("judge", "Exporting", seconds=120)
    assert deletions(world) == {"judge-c1"}
