"""Kueue suspends and admits RayClusters: waiting has no deadline, and losing the quota is no failure."""

from typing import Any

from rrm_operator.assess.moments import written
from rrm_operator.facts import Kind

QUEUED = {"scheduler": "Kueue", "queueName": "gpus"}


def suspend(world: Any, *, is_suspended: bool) -> None:
    name = world.newest_cluster
    world._change(Kind.RAY_CLUSTER, name, lambda it: it["spec"].update(suspend=is_suspended))


async def queued(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(scheduling=QUEUED, policy={"startupDeadlineSeconds": 60}))
    await operator.settle()
    world.prepare_succeeds()
    await operator.settle()
    suspend(world, is_suspended=True)
    assert await operator.settle() == "Provisioning"


async def training(operator: Any) -> None:
    world = operator.world
    await queued(operator)
    suspend(world, is_suspended=False)
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    world.train_reports(7, saved=6)
    assert await operator.settle() == "Training"


async def test_waiting_for_quota_is_told_and_has_no_deadline(operator: Any) -> None:
    world = operator.world
    await queued(operator)
    assert world.condition("Ready")["reason"] == "QuotaPending"
    assert world.condition("Reconciling")["status"] == "True"
    assert "suspend" not in world.planned["RayCluster", "tiny-judge-c1"]["spec"]
    assert await operator.look() is None
    world.seconds += 30 * 86_400
    assert await operator.settle() == "Provisioning"
    assert world.status["active"] == {"seconds": 0}


async def test_the_clock_of_the_start_begins_with_the_admission(operator: Any) -> None:
    world = operator.world
    await queued(operator)
    world.seconds += 86_400
    admitted = {
        "type": "RayClusterSuspended",
        "status": "False",
        "lastTransitionTime": written(world.seconds),
    }
    suspend(world, is_suspended=False)
    world._change(
        Kind.RAY_CLUSTER,
        "tiny-judge-c1",
        lambda it: it.setdefault("status", {}).update(conditions=[admitted]),
    )
    assert await operator.settle() == "Provisioning"
    assert await operator.look() == 60


async def test_a_preempted_attempt_goes_on_with_the_same_cluster_and_its_whole_budget(operator: Any) -> None:
    world = operator.world
    await training(operator)
    suspend(world, is_suspended=True)
    assert await operator.settle() == "Provisioning"
    assert world.condition("Ready")["reason"] == "QuotaPending"
    attempt = world.status["attempts"][0]
    assert (attempt["reason"], attempt["savedStep"]) == ("Preempted", 6)
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"], "its Workload keeps its place in the queue"
    for pod in world.pods("tiny-judge-c1"):
        world.delete_pod(pod)
    world.seconds += 7 * 86_400
    assert await operator.settle() == "Provisioning"
    for pod in world.pods("tiny-judge-c1"):
        world.remove(Kind.POD, pod)
    suspend(world, is_suspended=False)
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert [it["restarts"] for it in world.status["attempts"]] == [0, 0]
    assert not [line for line in world.log if "delete RayCluster" in line]


async def test_the_next_attempt_waits_until_the_last_pod_of_the_preempted_one_is_gone(operator: Any) -> None:
    world = operator.world
    await training(operator)
    suspend(world, is_suspended=True)
    await operator.settle()
    world.delete_pod("tiny-judge-c1-worker")
    suspend(world, is_suspended=False)
    world.set_cluster(head=True, workers=1)
    assert await operator.settle() == "Provisioning"
    assert len(world.submissions) == 1


async def test_a_suspended_training_leaves_the_queue(operator: Any) -> None:
    world = operator.world
    await training(operator)
    suspend(world, is_suspended=True)
    await operator.settle()
    world.edit(lambda spec: spec.update(suspend=True))
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_another_queue_is_another_cluster(operator: Any) -> None:
    world = operator.world
    await queued(operator)
    world.edit(lambda spec: spec["scheduling"].update(queueName="other"))
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Provisioning"
    labels = world.planned["RayCluster", "tiny-judge-c1"]["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "other"
