"""What is forbidden, or not answered by Ray, is told in their words and stops nothing else."""

from typing import Any

import pytest

from rrm_operator.errors import Forbidden, RayUnavailable
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning

QUOTA = 'jobs.batch "x" is forbidden: exceeded quota: team, requested: pods=1'
RESIZE = "only dynamically provisioned pvc can be resized"


def ready_message(operator: Any) -> str:
    message: str = operator.world.condition("Ready")["message"]
    return message


async def ready_cluster(operator: Any) -> None:
    await live_until_provisioning(operator)
    operator.world.cluster_becomes_ready()


async def test_a_quota_is_told_in_the_api_servers_words_until_it_allows(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, create = operator.world, operator.world.create

    async def forbidding(manifest: Any) -> None:
        if manifest["kind"] == Kind.JOB:
            raise Forbidden(QUOTA, terminating=False)
        await create(manifest)

    monkeypatch.setattr(world, "create", forbidding)
    for _ in range(3):
        with pytest.raises(Forbidden):
            await operator.look()
    assert QUOTA in ready_message(operator)
    assert world.status["stage"] == "Preparing"
    monkeypatch.undo()
    assert await operator.settle() == "Preparing"
    assert len(world.named(Kind.JOB)) == 1
    assert QUOTA not in ready_message(operator)


async def test_a_volume_that_may_not_grow_does_not_keep_the_job_from_being_submitted(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, patch = operator.world, operator.world.patch
    await ready_cluster(operator)

    async def forbidding(ref: Any, change: Any) -> None:
        if ref.kind is Kind.PERSISTENT_VOLUME_CLAIM:
            raise Forbidden(RESIZE, terminating=False)
        await patch(ref, change)

    monkeypatch.setattr(world, "patch", forbidding)
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="4Gi"))
    assert await operator.settle() == "Starting"
    assert len(world.submissions) == 1
    assert RESIZE in ready_message(operator)


async def test_a_volume_that_may_not_grow_keeps_ray_asked_as_often_and_is_tried_again_each_5_minutes(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, patch, tried = operator.world, operator.world.patch, list[float]()
    await ready_cluster(operator)
    await operator.settle()

    async def forbidding(ref: Any, change: Any) -> None:
        tried.append(world.seconds)
        raise Forbidden(RESIZE, terminating=False)

    monkeypatch.setattr(world, "patch", forbidding)
    start = world.seconds
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="4Gi"))
    assert await operator.look() == 0, "the next look says so"
    for _ in range(40):
        assert await operator.look() == 15
        assert RESIZE in ready_message(operator)
        world.seconds += 15
    assert tried == [start, start + 300]
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="5Gi"))
    await operator.settle()
    assert tried[2:] == [world.seconds], "another size is tried at once"
    monkeypatch.setattr(world, "patch", patch)
    world.seconds += 300
    await operator.settle()
    assert RESIZE not in ready_message(operator)


async def test_a_volume_that_may_not_grow_is_no_more_told_once_the_edit_is_taken_back(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = operator.world
    await ready_cluster(operator)

    async def forbidding(ref: Any, change: Any) -> None:
        raise Forbidden(RESIZE, terminating=False)

    monkeypatch.setattr(world, "patch", forbidding)
    size = world.training["spec"]["checkpoints"]["volume"]["size"]
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="4Gi"))
    await operator.settle()
    assert RESIZE in ready_message(operator)
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(size=size))
    await operator.settle()
    assert RESIZE not in ready_message(operator)


async def test_a_ray_that_does_not_take_the_job_is_told_in_its_words(operator: Any) -> None:
    world = operator.world
    await ready_cluster(operator)
    world.ray_answers = False
    with pytest.raises(RayUnavailable):
        await operator.look()
    assert await operator.settle() == "Starting"
    assert "no answer" in ready_message(operator)
    assert "was submitted" not in ready_message(operator)
    world.ray_answers = True
    world.seconds += 15
    assert await operator.settle() == "Starting"
    assert len(world.submissions) == 1
    assert "no answer" not in ready_message(operator)


async def test_an_old_answer_of_ray_ends_no_attempt_whose_submission_arrived_unanswered(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = operator.world
    await ready_cluster(operator)
    arrives = world.submit

    async def answers_get_lost(submission: Any) -> None:
        if operator.world.looks:
            await arrives(submission)
        raise RayUnavailable("no answer")

    monkeypatch.setattr(world, "submit", answers_get_lost)
    for _ in range(2):
        with pytest.raises(RayUnavailable):
            await operator.look()
    assert len(world.submissions) == 1, "Ray was asked, did not know the job, and got it"
    world.train_reports(1)
    assert await operator.settle() == "Training"
    assert "failure" not in world.status


async def test_a_ray_that_falls_silent_after_the_submission_is_told(operator: Any) -> None:
    world = operator.world
    await ready_cluster(operator)
    assert await operator.settle() == "Starting"
    world.ray_answers = False
    world.seconds += 15
    assert await operator.settle() == "Starting"
    assert "Ray has not answered since" in ready_message(operator)
    assert "no answer" in ready_message(operator)
    world.ray_answers = True
    world.seconds += 15
    await operator.settle()
    assert "Ray has not answered" not in ready_message(operator)


async def test_a_claim_grows_only_when_it_is_bound(operator: Any) -> None:
    """Of one that is not, the API server refuses any change as invalid, which would stall the training."""
    world = operator.world
    world.binds = False
    await operator.settle()
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="4Gi"))
    assert await operator.settle() == "Preparing"
    assert asked_for(world) == "2Gi"
    world.bind_claim("tiny-judge-checkpoints")
    assert await operator.settle() == "Preparing"
    assert asked_for(world) == "4Gi"


def asked_for(world: Any) -> str:
    claim = world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    size: str = claim["spec"]["resources"]["requests"]["storage"]
    return size
