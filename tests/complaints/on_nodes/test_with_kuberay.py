"""What only the real KubeRay can show: that its part of the story is as the operator believes."""

from typing import Any

import pytest

pytestmark = pytest.mark.fakenodes
QUICK = {"restartBackoffSeconds": 1}


def ray_pods(world: Any) -> list[str]:
    pods = world.all("pod")
    return [it["metadata"]["name"] for it in pods if "ray.io/cluster" in it["metadata"].get("labels", {})]


def submitted(world: Any, attempt: int, *, name: str = "judge") -> str:
    """Wait for an attempt's submission; return the name of its RayCluster."""
    world.until(f"attempt {attempt}", lambda: len(world.ray.submitted) >= attempt, seconds=180)
    assert len(world.ray.submitted) == attempt
    cluster: str = world.ray.submitted[-1].cluster.rpartition("/")[2]
    return cluster


def training(world: Any, manifest: Any, **spec: Any) -> Any:
    """Bring a training to its third step."""
    judge = world.apply(manifest("judge", **spec))
    judge.prepared()
    submitted(world, 1)
    judge.progress(1, step=3)
    world.stage("judge", "Training")
    return judge


def test_kuberay_1489_a_lost_head_becomes_a_new_cluster_that_finishes(world: Any, manifest: Any) -> None:
    """A head that is pre-empted comes back without its job: workers stay out, nobody submits again."""
    judge = training(world, manifest, policy=QUICK)
    head = next(name for name in ray_pods(world) if "head" in name)
    world.cluster.kubectl("delete", "pod", head, "--namespace", world.namespace, "--wait=false")
    assert submitted(world, 2) == "judge-c2"
    judge.progress(2, step=9)
    judge.trained(2)
    judge.exported()
    status = world.stage("judge", "Succeeded", seconds=120)
    assert [it["reason"] for it in status["attempts"]] == ["ClusterLost", "Succeeded"]
    assert ray_pods(world) == []


def test_kuberay_4971_a_crash_is_tried_again_on_the_pods_that_are_there(world: Any, manifest: Any) -> None:
    """Each retry makes a new cluster: minutes of pods, images and weights, for a process that died."""
    judge = training(world, manifest, policy=QUICK)
    before = ray_pods(world)
    judge.failed(exit_code=20, log_tail="RuntimeError: NCCL error")
    assert submitted(world, 2) == "judge-c1"
    assert ray_pods(world) == before
    judge.progress(2, step=4)
    status = world.stage("judge", "Training")
    assert status["attempts"][0]["reason"] == "TrainerCrashed"


def test_kuberay_5295_a_deadline_ends_the_job_and_its_pods(world: Any, manifest: Any) -> None:
    """The deadline changes a status: the Ray job runs on, in HTTP mode with nobody left to stop it."""
    checkpoints = {"volume": {"size": "1Gi"}, "saveGraceSeconds": 1}
    world.apply(manifest("judge", policy={"activeDeadlineSeconds": 45}, checkpoints=checkpoints)).prepared()
    submitted(world, 1)
    status = world.stage("judge", "Failed", seconds=150)
    assert status["failure"]["reason"] == "DeadlineExceeded"
    assert world.names("raycluster") == []
    assert ray_pods(world) == []


def test_kuberay_4940_suspended_it_holds_no_pod_and_resumed_it_goes_on(world: Any, manifest: Any) -> None:
    """Suspended, its quota was kept; resumed, the job began anew."""
    checkpoints = {"volume": {"size": "1Gi"}, "saveGraceSeconds": 1}
    judge = training(world, manifest, checkpoints=checkpoints)
    world.apply(manifest("judge", checkpoints=checkpoints, suspend=True))
    world.stage("judge", "Suspended", seconds=120)
    assert ray_pods(world) == []
    assert "judge-checkpoints" in world.names("pvc")
    world.apply(manifest("judge", checkpoints=checkpoints, suspend=False))
    submitted(world, 2)
    judge.progress(2, step=4)
    world.stage("judge", "Training")


def test_kuberay_1991_pods_that_never_fit_are_told_in_the_schedulers_words(world: Any, manifest: Any) -> None:
    """Too few resources give warnings for hours: no failure, no time limit."""
    workers = {"nodes": 1, "nodeSelector": {"no": "such"}}
    policy = {"startupDeadlineSeconds": 20}
    world.apply(manifest("judge", workers=workers, policy=policy)).prepared()
    status = world.stage("judge", "Stalled", seconds=120)
    assert status["failure"]["reason"] == "Unschedulable"
    assert "node" in status["failure"]["message"]
    world.until("no pod", lambda: not ray_pods(world))
    assert world.ray.submitted == []
