"""An edit and its quick revert: data that another spec may have rewritten is prepared anew."""

from typing import Any

import pytest

from rrm_api.run import Role
from rrm_operator.facts import Kind


async def prepared(operator: Any) -> str:
    """Prepare the data for the spec as it stands; return the name of the Job."""
    await operator.settle()
    (job,) = operator.world.named(Kind.JOB)
    operator.world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"
    return str(job)


def edit_reward(operator: Any, k: str) -> None:
    operator.world.edit(lambda spec: spec["reward"].update(exponential={"k": k}))


async def prepares_for_another_spec(operator: Any) -> str:
    """Edit the reward and let its prepare pod run; return the name of the Job."""
    world = operator.world
    edit_reward(operator, "3")
    for _ in range(2):
        await operator.settle()
        world.pods_leave()
    assert await operator.settle() == "Preparing"
    (job,) = world.named(Kind.JOB)
    world.add_pod(job, Role.PREPARE)
    return str(job)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_revert_prepares_again_since_the_other_job_may_have_rewritten_the_data(
    operator: Any, restarts: bool
) -> None:
    world = operator.world
    edit_reward(operator, "2")
    first = await prepared(operator)
    second = await prepares_for_another_spec(operator)
    edit_reward(operator, "2")
    if restarts:
        operator.restart()
    assert await operator.settle() == "Preparing"
    assert world.named(Kind.JOB) == [], "the other Job goes first, and its pod still writes"
    assert f"delete Job {second}" in world.log
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    assert world.named(Kind.JOB) == [first]
    assert world.named(Kind.RAY_CLUSTER) == []
    world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"


async def test_an_answer_does_not_count_while_a_job_for_another_spec_is_alive(operator: Any) -> None:
    world = operator.world
    edit_reward(operator, "2")
    await prepared(operator)
    answer = world.objects[Kind.CONFIG_MAP, "tiny-judge-progress"]["data"]["prepare"]
    await prepares_for_another_spec(operator)
    edit_reward(operator, "2")
    # As if the watch of ConfigMaps were behind: the old answer is seen again.
    world.write_progress("prepare", answer)
    assert await operator.settle() == "Preparing"
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_a_job_that_has_ended_for_other_pods_but_the_same_data_counts(operator: Any) -> None:
    await prepared(operator)
    operator.world.edit(lambda spec: spec.update(jobs={"nodeSelector": {"pool": "cpu"}}))
    jobs = operator.world.named(Kind.JOB)
    assert await operator.settle() == "Provisioning"
    assert operator.world.named(Kind.JOB) == jobs
