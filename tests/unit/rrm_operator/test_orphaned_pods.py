"""`kubectl delete --cascade=orphan` leaves pods that nothing owns: they write, hold GPUs, and stay for ever.

The operator may not delete pods, so a person is told to, and nothing else writes meanwhile.
"""

from typing import Any

import pytest

from rrm_api.run import Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_exporting, live_until_provisioning

CLUSTER = "tiny-judge-c1"
PODS = (f"{CLUSTER}-head", f"{CLUSTER}-worker")
SCHEDULED = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def orphan(world: Any, pod: str, **label: str) -> None:
    """Let the garbage collector remove the reference to the owner: its label stays."""

    def disown(manifest: Any) -> None:
        manifest["metadata"]["ownerReferences"] = [{"name": "a-bystander"}]
        manifest["metadata"]["labels"].update(label)

    world._change(Kind.POD, pod, disown)


def orphan_cluster(world: Any) -> None:
    for pod in PODS:
        orphan(world, pod, **{"ray.io/cluster": CLUSTER})
    world.remove(Kind.RAY_CLUSTER, CLUSTER)


async def training(operator: Any) -> Any:
    world = operator.world
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    for pod in PODS:
        world.change_pod(pod, conditions=[SCHEDULED])
    await operator.settle()
    world.train_reports(7)
    assert await operator.settle() == "Training"
    return world


async def test_no_other_attempt_begins_while_orphaned_pods_of_the_last_one_may_write(operator: Any) -> None:
    world = await training(operator)
    orphan_cluster(world)
    assert await operator.settle() == "Stalled"
    told = world.condition("Stalled")
    assert told["reason"] == "PodsStuck"
    assert f"gone: {', '.join(PODS)}; " in told["message"]
    assert f"`kubectl delete pod --namespace demo --selector ray.io/cluster={CLUSTER}`" in told["message"]
    for _ in range(3):
        world.seconds += 3600
        await operator.settle()
        assert world.named(Kind.RAY_CLUSTER) == []
        assert world.condition("Stalled")["reason"] == "PodsStuck"
    for pod in PODS:
        world.delete_pod(pod)
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() in ("BackingOff", "Provisioning")
    world.seconds += 60
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]


async def test_gpus_that_orphaned_pods_hold_are_counted_on(operator_of: Any, load_example: Any) -> None:
    operator = operator_of(load_example("pointwise"))
    world = await live_until_provisioning(operator)
    cluster = world.newest_cluster
    world.cluster_becomes_ready()
    worker = f"{cluster}-worker"
    world.change_pod(worker, conditions=[SCHEDULED])
    await operator.settle()
    orphan(world, worker, **{"ray.io/cluster": cluster})
    world.remove(Kind.POD, f"{cluster}-head")
    world.remove(Kind.RAY_CLUSTER, cluster)
    assert await operator.settle() == "Stalled"
    assert world.status["gpuSeconds"]["holding"] == 8
    world.remove(Kind.POD, worker)
    await operator.settle()
    assert world.status["gpuSeconds"]["holding"] == 0


async def test_an_orphaned_pod_that_has_ended_holds_up_nothing(operator: Any) -> None:
    world = await training(operator)
    orphan_cluster(world)
    assert await operator.settle() == "Stalled"
    for pod in PODS:
        world.change_pod(pod, phase="Failed")
    world.seconds += 60
    assert await operator.settle() == "Provisioning"


async def test_pods_that_lost_only_their_owner_reference_are_still_their_clusters(operator: Any) -> None:
    world = await training(operator)
    for pod in PODS:
        orphan(world, pod, **{"ray.io/cluster": CLUSTER})
    assert await operator.settle() == "Training"


async def test_a_suspended_training_tells_of_orphaned_pods(operator: Any) -> None:
    world = await training(operator)
    orphan_cluster(world)
    world.edit(lambda spec: spec.update(suspend=True))
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "PodsStuck"
    for pod in PODS:
        world.remove(Kind.POD, pod)
    assert await operator.settle() == "Suspended"


@pytest.mark.parametrize("role", [Role.PREPARE, Role.EXPORT])
async def test_no_other_job_is_made_while_an_orphaned_pod_of_the_last_one_may_write(
    operator: Any, role: Role
) -> None:
    world = operator.world
    assert await operator.settle() == "Preparing"
    if role is Role.EXPORT:
        await live_until_exporting(operator)
    job = next(it for it in world.named(Kind.JOB) if f"-{role}-" in it)
    world.add_pod(job, role, phase="Running")
    orphan(world, f"{job}-{role}", **{"batch.kubernetes.io/job-name": job})
    world.remove(Kind.JOB, job)
    assert await operator.settle() == "Stalled"
    told = world.condition("Stalled")
    assert told["reason"] == "PodsStuck"
    assert f"`kubectl delete pod --namespace demo {job}-{role}`" in told["message"]
    assert job not in world.named(Kind.JOB)
    world.remove(Kind.POD, f"{job}-{role}")
    assert await operator.settle() in ("Preparing", "Exporting")
    assert job in world.named(Kind.JOB)
