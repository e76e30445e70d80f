"""Prepare and export Jobs that fail without a fault of the spec: what to do is said, and it helps."""

from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_exporting

BROKEN_NODE = {
    "result": Result.FAILED,
    "reason": Reason.PREPARE_FAILED,
    "message": "the hub did not answer",
    "exit_code": 20,
}


def stalled(operator: Any) -> str:
    message: str = operator.world.condition("Stalled")["message"]
    return message


async def retry_as_told(operator: Any, name: str) -> None:
    """Do what the message says; the garbage collector removes the pods of the Job that goes."""
    assert "`kubectl annotate rmt tiny-judge --namespace demo --overwrite" in stalled(operator)
    assert group.ANNOTATION_RETRY in stalled(operator)
    operator.world.annotate(**{group.ANNOTATION_RETRY: "1"})
    await operator.look()
    for pod in operator.world.pods(name):
        operator.world.remove(Kind.POD, pod)


@pytest.mark.parametrize("has_record", [True, False])
async def test_preparing_that_broke_by_infrastructure_says_how_to_run_it_again(
    operator: Any, has_record: bool
) -> None:
    world = operator.world
    await operator.settle()
    record = world.record(Role.PREPARE, **BROKEN_NODE) if has_record else None
    world.job_ends(Role.PREPARE, record, exit_code=20)
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    (job,) = world.named(Kind.JOB)
    await retry_as_told(operator, job)
    assert await operator.settle() == "Preparing"
    world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"


async def test_an_export_without_a_record_says_how_to_run_it_again(operator: Any) -> None:
    world = operator.world
    await live_until_exporting(operator)
    world.job_ends(Role.EXPORT, None, exit_code=20)
    world.seconds += 10
    assert await operator.settle() == "Failed"
    (job,) = (name for name in world.named(Kind.JOB) if "-export-" in name)
    await retry_as_told(operator, job)
    assert await operator.settle() == "Exporting"
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"


async def test_an_export_that_ran_out_of_memory_names_the_knob(operator: Any) -> None:
    world = operator.world
    await live_until_exporting(operator)
    world.job_ends(Role.EXPORT, None, exit_code=137)
    (pod,) = (name for name in world.named(Kind.POD) if name.endswith("-export"))
    killed = {"exitCode": 137, "reason": "OOMKilled"}
    world.change_pod(pod, containerStatuses=[{"name": "main", "state": {"terminated": killed}}])
    world.seconds += 10
    assert await operator.settle() == "Failed"
    assert "OOMKilled" in stalled(operator)
    assert "spec.jobs.resources" in stalled(operator)


async def test_a_fault_of_the_data_is_not_to_be_run_again(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    fault = BROKEN_NODE | {"reason": Reason.DATA_INVALID, "exit_code": 10}
    world.job_ends(Role.PREPARE, world.record(Role.PREPARE, **fault), exit_code=10)
    assert await operator.settle() == "Stalled"
    assert "spec.jobs.resources" not in stalled(operator)
    assert "kubectl delete" not in stalled(operator)
