"""Pods that the API server does not let be made are told, and when is looked again without an event."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.run import Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_exporting, live_until_starting

QUOTA = 'FailedCreateHeadPod\npods "x" is forbidden: exceeded quota: team'


def ready_message(operator: Any) -> str:
    message: str = operator.world.condition("Ready")["message"]
    return message


async def test_a_prepare_job_without_a_pod_says_so_after_a_while_and_what_tells_more(operator: Any) -> None:
    await operator.settle()
    (job,) = operator.world.named(Kind.JOB)
    assert ready_message(operator) == "the prepare Job is at work"
    assert await operator.look() == 10
    operator.world.seconds += 10
    assert await operator.settle() == "Preparing"
    assert "has not been created" in ready_message(operator)
    assert f"`kubectl describe job {job} --namespace demo`" in ready_message(operator)
    assert await operator.look() == 3590, "that it is missed is said once, until it takes too long"
    operator.world.add_pod(job, Role.PREPARE)
    await operator.settle()
    assert ready_message(operator) == "the prepare Job is at work"
    assert await operator.look() is None, "events tell all that comes"


async def test_an_export_is_looked_at_again_because_of_its_own_job_alone(operator: Any) -> None:
    await live_until_exporting(operator)
    job = operator.world.named(Kind.JOB)[-1]
    operator.world.seconds += 10
    await operator.settle()
    assert f"`kubectl describe job {job} --namespace demo`" in ready_message(operator)
    operator.world.add_pod(job, Role.EXPORT)
    await operator.settle()
    assert ready_message(operator) == "the export Job is at work"
    assert await operator.look() is None


async def test_pods_that_kuberay_cannot_make_are_told_in_its_words_until_it_can(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.prepare_succeeds()
    await operator.settle()
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod", "message": QUOTA}
    cluster = world.objects[Kind.RAY_CLUSTER, world.newest_cluster]
    world.store.feed(Kind.RAY_CLUSTER, cluster | {"status": {"conditions": [failure]}})
    assert await operator.settle() == "Provisioning"
    assert "exceeded quota: team" in ready_message(operator)
    world.set_cluster(head=False, workers=0)
    await operator.settle()
    assert "quota" not in ready_message(operator)


@pytest.mark.parametrize("seconds", [3.0, 15.0])
async def test_ray_is_looked_at_as_often_as_the_settings_say(
    operator_of: Callable[..., Any], load_example: Callable[[str], Any], seconds: float
) -> None:
    operator = operator_of(load_example("tiny-cpu"), ray_poll_seconds=seconds)
    world = await live_until_starting(operator)
    assert await operator.look() == seconds
    looks = world.looks
    world.seconds += seconds
    await operator.look()
    assert world.looks == looks + 1
