"""What a finished training leaves behind goes after its time, and nothing starts again for it."""

from typing import Any

from rrm_api import group
from rrm_api.run import Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_training


def will_be_cleaned_up(operator: Any) -> Any:
    operator.world.edit(lambda spec: spec.update(policy={"ttlSecondsAfterFinished": 100}))
    return operator


async def test_jobs_of_a_finished_training_go_after_their_time_and_nothing_starts_again(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(will_be_cleaned_up(operator), step=7)
    world.train_ends()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Exporting"
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"
    assert len(world.named(Kind.JOB)) == 2
    assert await operator.look() == 100
    world.seconds += 100
    status = world.status
    assert await operator.settle() == "Succeeded"
    assert world.named(Kind.JOB) == []
    assert world.status == status
    operator.restart()
    assert await operator.look() is None
    assert world.named(Kind.PERSISTENT_VOLUME_CLAIM) == ["tiny-judge-checkpoints"]


async def test_a_failed_export_that_is_cleaned_up_is_not_run_again_until_asked_for(operator: Any) -> None:
    world = operator.world
    await live_until_training(will_be_cleaned_up(operator), step=7)
    world.train_ends()
    await operator.settle()
    world.pods_leave()
    await operator.settle()
    world.job_ends(Role.EXPORT, None, exit_code=1)
    world.seconds += 10
    assert await operator.settle() == "Failed"
    world.seconds += 100
    assert await operator.settle() == "Failed"
    assert world.named(Kind.JOB) == []
    operator.restart()
    assert await operator.settle() == "Failed"
    world.annotate(**{group.ANNOTATION_RETRY: "1"})
    assert await operator.settle() == "Exporting"
    assert len(world.named(Kind.JOB)) == 1
    for pod in world.named(Kind.POD):
        world.remove(Kind.POD, pod)
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"
