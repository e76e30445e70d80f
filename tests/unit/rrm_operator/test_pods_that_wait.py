"""Pods that have a node and do not start, or do not leave it: told with what to do, and never for ever."""

from typing import Any

import pytest

from rrm_api.conditions import Reason
from rrm_api.run import Role
from rrm_operator.assess.moments import written
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_exporting, live_until_provisioning


def placed(world: Any, **more: Any) -> dict[str, Any]:
    """The status of a pod whose node has mounted no volume yet: the kubelet says no more about it."""
    now = written(world.seconds)
    conditions = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": now},
        {"type": "PodReadyToStartContainers", "status": "False", "lastTransitionTime": now},
    ]
    waiting = [{"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}]
    return {"phase": "Pending", "conditions": conditions, "containerStatuses": waiting, **more}


async def provisioning(operator: Any, **policy: int) -> str:
    world = operator.world
    world.edit(lambda spec: spec.update(policy=policy))
    await live_until_provisioning(operator)
    cluster: str = world.newest_cluster
    world.add_pod(cluster, "head", **placed(world))
    return cluster


async def test_a_volume_that_cannot_be_mounted_is_told_within_a_minute(operator: Any) -> None:
    world = operator.world
    cluster = await provisioning(operator)
    assert await operator.settle() == "Provisioning"
    assert "waiting for its head" in world.condition("Ready")["message"]
    wait = await operator.look()
    assert wait is not None
    assert wait <= 60
    world.seconds += wait
    assert await operator.settle() == "Provisioning"
    message = world.condition("Ready")["message"]
    assert f"pod {cluster}-head" in message
    assert "its volumes cannot be mounted" in message
    assert f"kubectl describe pod {cluster}-head --namespace demo" in message


async def test_gpus_are_not_held_again_and_again_for_a_volume_that_cannot_be_mounted(operator: Any) -> None:
    world = operator.world
    await provisioning(operator, startupDeadlineSeconds=100)
    world.seconds += 100
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Stalled"
    told = world.condition("Stalled")
    assert told["reason"] == "VolumeUnavailable"
    assert "its volumes cannot be mounted" in told["message"]
    assert "tries it again" in told["message"]
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_a_job_whose_volume_cannot_be_mounted_says_so(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"startupDeadlineSeconds": 100}))
    await operator.settle()
    (job,) = world.named(Kind.JOB)
    world.add_pod(job, "prepare", **placed(world))
    world.seconds += 60
    assert await operator.settle() == "Preparing"
    assert "its volumes cannot be mounted" in world.condition("Ready")["message"]
    world.seconds += 40
    assert await operator.settle() == "Stalled"
    told = world.condition("Stalled")
    assert told["reason"] == "VolumeUnavailable"
    assert "goes on by itself once the pod runs" in told["message"]
    world.change_pod(f"{job}-prepare", phase="Running", conditions=[])
    assert await operator.settle() == "Preparing"


async def test_a_job_that_pulls_a_slow_image_is_not_said_to_lack_a_volume(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"startupDeadlineSeconds": 100}))
    await operator.settle()
    (job,) = world.named(Kind.JOB)
    world.add_pod(job, "prepare", **{**placed(world), "conditions": placed(world)["conditions"][:1]})
    world.seconds += 100
    assert await operator.settle() == "Stalled"
    told = world.condition("Stalled")
    assert told["reason"] == "ImageUnavailable"
    assert f"pod {job}-prepare has a node and has not started" in told["message"]


@pytest.mark.parametrize("role", [Role.PREPARE, Role.EXPORT])
async def test_a_job_that_never_ends_has_a_deadline(operator: Any, role: Role) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"jobDeadlineSeconds": 7200}))
    await operator.settle()
    if role is Role.EXPORT:
        await live_until_exporting(operator)
    name = next(it for it in world.named(Kind.JOB) if f"-{role}-" in it)
    assert world.planned[Kind.JOB, name]["spec"]["activeDeadlineSeconds"] == 7200
    world.job_is_overdue(name)
    world.seconds += 10
    assert await operator.settle() in ("Stalled", "Failed")
    told = world.condition("Stalled")
    assert told["reason"] in ("PrepareFailed", "ExportFailed")
    assert "raise spec.policy.jobDeadlineSeconds" in told["message"]
    assert "tries it again" in told["message"]


async def test_a_pod_of_a_job_that_does_not_leave_its_node_is_told(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    (job,) = world.named(Kind.JOB)
    world.add_pod(job, "prepare", phase="Running")
    assert await operator.settle() == "Preparing"
    world.delete_pod(f"{job}-prepare")
    assert await operator.settle() == "Preparing"
    wait = await operator.look()
    assert wait is not None
    world.seconds += 301
    assert await operator.settle() == "Stalled"
    told = world.condition("Stalled")
    assert told["reason"] == "PodsStuck"
    assert f"{job}-prepare" in told["message"]
    assert "kubectl delete node" in told["message"]
    world.remove(Kind.POD, f"{job}-prepare")
    assert await operator.settle() == "Preparing"


async def test_a_pod_that_was_killed_for_its_memory_is_named_with_its_limit(operator: Any) -> None:
    world = operator.world
    cluster = await provisioning(operator)
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_reports(7)
    assert await operator.settle() == "Training"
    world.limit_memory(f"{cluster}-worker", "4Gi")
    killed = {"name": "main", "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    world.change_pod(f"{cluster}-worker", containerStatuses=[killed])
    world.train_fails()
    await operator.settle()
    attempt = world.status["attempts"][-1]
    assert attempt["reason"] == Reason.OUT_OF_MEMORY
    assert f"pod {cluster}-worker was killed at its memory limit" in attempt["message"]
    assert "of 4Gi" in attempt["message"]


async def test_credentials_in_the_last_words_of_a_pod_are_masked(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    words = "GET https://hub: 401, headers {'authorization': 'Bearer hf_abcdefghijklmnopqrstuvwx'}"
    world.job_ends(Role.PREPARE, None, exit_code=12, last_words=words)
    world.seconds += 60
    assert await operator.settle() == "Stalled"
    said = str(world.status) + str(world.events)
    assert "401" in said
    assert "hf_abc" not in said
