"""A claim of ours that somebody deletes: its data is prepared again, and no GPUs meet an empty volume."""

from typing import Any

from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning

CLAIM = "tiny-judge-checkpoints"


async def suspended(operator: Any) -> None:
    world = await live_until_provisioning(operator)
    world.edit(lambda spec: spec.update(suspend=True))
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Suspended"


def resume(world: Any) -> None:
    world.edit(lambda spec: spec.update(suspend=False))


async def test_a_deleted_claim_is_not_held_by_our_own_finished_job(operator: Any) -> None:
    world = operator.world
    await suspended(operator)
    world.delete_claim(CLAIM)
    resume(world)
    assert await operator.settle() == "Pending"
    assert world.condition("Ready")["message"] == f"waiting until Kubernetes has removed {CLAIM}"
    assert world.named(Kind.JOB) == [], "its pod, though it has ended, holds the claim"
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    assert len(world.named(Kind.JOB)) == 1
    assert CLAIM in world.named(Kind.PERSISTENT_VOLUME_CLAIM)
    world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"


async def test_a_claim_that_is_gone_takes_what_was_prepared_with_it(operator: Any) -> None:
    world = operator.world
    await suspended(operator)
    world.remove(Kind.PERSISTENT_VOLUME_CLAIM, CLAIM)
    resume(world)
    assert await operator.settle() == "Preparing"
    assert world.named(Kind.RAY_CLUSTER) == []
    world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"


async def test_what_was_prepared_is_forgotten_before_its_job_goes(operator: Any) -> None:
    world = operator.world
    await suspended(operator)
    world.remove(Kind.PERSISTENT_VOLUME_CLAIM, CLAIM)
    resume(world)
    before = len(world.log)
    await operator.look()
    (job,) = (it for it in world.log[before:] if it.startswith("delete Job"))
    forgotten = world.log.index(f"patch ConfigMap {world.training['metadata']['name']}-progress", before)
    assert forgotten < world.log.index(job, before), "a crash in between must not bring the answer back"
