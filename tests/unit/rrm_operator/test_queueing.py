"""Kueue suspends and admits RayClusters: waiting has no deadline, and losing the quota is no failure."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.assess.moments import written
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning

QUEUED = {"scheduler": "Kueue", "queueName": "gpus"}


def suspend(world: Any, *, is_suspended: bool) -> None:
    """Let Kueue suspend the RayCluster or take that back, and KubeRay follow."""
    follows = {"status": str(is_suspended), "lastTransitionTime": written(world.seconds)}

    def change(cluster: Any) -> None:
        cluster["spec"]["suspend"] = is_suspended
        status = cluster.setdefault("status", {})
        others = [it for it in status.get("conditions", []) if it["type"] != "RayClusterSuspended"]
        status["conditions"] = [*others, {"type": "RayClusterSuspended", **follows}]

    world._change(Kind.RAY_CLUSTER, world.newest_cluster, change)


async def queued(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(scheduling=QUEUED, policy={"startupDeadlineSeconds": 60}))
    await live_until_provisioning(operator)
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
    suspend(world, is_suspended=False)
    assert await operator.settle() == "Provisioning"
    assert await operator.look() == 60
    world.seconds += 40
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    world.seconds += 19
    assert await operator.settle() == "Starting"
    world.seconds += 1
    assert await operator.settle() == "Stopping"


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


def suspend_unseen(world: Any) -> None:
    """Let Kueue suspend the RayCluster, and the event of it be late: two watches keep no order."""
    world.objects[Kind.RAY_CLUSTER, world.newest_cluster]["spec"]["suspend"] = True


def its_head_leaves(world: Any) -> None:
    world.delete_pod("tiny-judge-c1-head")


def its_head_is_gone(world: Any) -> None:
    world.remove(Kind.POD, "tiny-judge-c1-head")
    status = world.objects[Kind.RAY_CLUSTER, "tiny-judge-c1"]["status"]
    status["conditions"][0] |= {"status": "False", "reason": "HeadPodNotFound"}
    world.store.feed(Kind.RAY_CLUSTER, {**world.objects[Kind.RAY_CLUSTER, "tiny-judge-c1"], "spec": {}})


def its_trainer_lost_a_worker(world: Any) -> None:
    world.train_fails()


def its_trainer_saved_and_left(world: Any) -> None:
    said = {"result": Result.STOPPED, "reason": Reason.CHECKPOINT_SAVED, "message": "left", "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, **said))


@pytest.mark.parametrize(
    "is_seen", [its_head_leaves, its_head_is_gone, its_trainer_lost_a_worker, its_trainer_saved_and_left]
)
async def test_a_preemption_of_which_pods_or_trainer_tell_first_is_no_failure(
    operator: Any, is_seen: Callable[[Any], None]
) -> None:
    world = operator.world
    await training(operator)
    suspend_unseen(world)
    is_seen(world)
    assert await operator.settle() == "Provisioning"
    (attempt,) = world.status["attempts"]
    assert attempt["reason"] == "Preempted"
    assert "delete RayCluster tiny-judge-c1" not in world.log, "its Workload keeps its place in the queue"


async def test_a_suspension_before_the_submission_that_pods_tell_of_first_counts_no_attempt(
    operator: Any,
) -> None:
    world = operator.world
    await queued(operator)
    suspend(world, is_suspended=False)
    world.cluster_becomes_ready()
    suspend_unseen(world)
    its_head_leaves(world)
    assert await operator.settle() == "Provisioning"
    assert world.status["attempts"] == []
    assert "delete RayCluster tiny-judge-c1" not in world.log


async def test_after_a_preemption_nothing_is_submitted_to_pods_that_only_seem_to_be_there(
    operator: Any,
) -> None:
    world = operator.world
    await training(operator)
    suspend_unseen(world)
    its_trainer_saved_and_left(world)
    assert await operator.settle() == "Provisioning"
    assert await operator.settle() == "Provisioning"
    assert len(world.submissions) == 1


async def test_a_head_that_is_lost_without_a_preemption_costs_one_question_and_a_restart(
    operator: Any,
) -> None:
    world = operator.world
    await training(operator)
    its_head_leaves(world)
    assert await operator.settle() == "Releasing"
    assert world.status["attempts"][0]["reason"] == "ClusterLost"
    assert world.cluster_looks == 1


async def test_a_new_cluster_that_is_waited_for_costs_no_question(operator: Any) -> None:
    world = operator.world
    await training(operator)
    its_head_leaves(world)
    await operator.settle()
    world.pods_leave()
    await operator.settle()
    world.seconds += 10
    assert await operator.settle() == "Provisioning"
    asked = world.cluster_looks
    for _ in range(5):
        world.seconds += 5
        assert await operator.settle() == "Provisioning"
    assert world.cluster_looks == asked


async def test_a_preemption_that_its_watch_never_tells_of_does_not_keep_the_training_waiting(
    operator: Any,
) -> None:
    world = operator.world
    await training(operator)
    suspend_unseen(world)
    its_trainer_saved_and_left(world)
    assert await operator.settle() == "Provisioning"
    wait = await operator.look()
    assert wait is not None
    world.objects[Kind.RAY_CLUSTER, world.newest_cluster]["spec"]["suspend"] = False
    world.seconds += wait
    assert await operator.settle() == "Starting", "no event tells that it is as it was"
