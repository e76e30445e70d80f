"""The volume: ours or the user's, shared or not, kept or not."""

from typing import Any

from rrm_api import group
from rrm_operator.facts import ClaimFact, Kind
from tests.unit.rrm_operator.lives import live_until_training, stalled


def named(spec: Any) -> None:
    spec["checkpoints"]["volume"] = {"claimName": "shared"}


def claim(*modes: str, phase: str = "Bound") -> ClaimFact:
    return ClaimFact("shared", phase, "1Ti", deleting=False, access_modes=modes)


async def test_a_claim_that_is_not_there_is_told_before_anything_is_made_and_looked_for_again(
    operator: Any,
) -> None:
    world = operator.world
    world.claims["shared"] = None
    world.edit(named)
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "VolumeUnavailable"
    assert "expected a claim shared" in world.condition("Stalled")["message"]
    assert world.named(Kind.JOB) == []
    assert await operator.look() == 30
    world.claims["shared"] = claim("ReadWriteMany")
    world.seconds += 30
    assert await operator.settle() == "Preparing"


async def test_a_claim_that_only_one_node_can_write_to_is_refused_for_several(operator: Any) -> None:
    world = operator.world
    world.claims["shared"] = claim("ReadWriteOnce")
    world.edit(named)
    world.edit(lambda spec: spec["workers"].update(nodes=2))
    assert await operator.settle() == "Stalled"
    assert (
        "ReadWriteMany, as 2 nodes write to it, found ReadWriteOnce"
        in (world.condition("Stalled")["message"])
    )
    world.edit(lambda spec: spec["workers"].update(nodes=1))
    assert await operator.settle() == "Preparing"


async def test_a_claim_that_is_there_is_asked_for_once(operator: Any) -> None:
    world = operator.world
    world.claims["shared"] = claim("ReadWriteMany")
    world.edit(named)
    await live_until_training(operator)
    assert world.claim_looks == 1
    assert world.named(Kind.PERSISTENT_VOLUME_CLAIM) == []


async def test_a_claim_we_made_goes_with_its_training_only_when_told(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    made = world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    assert "ownerReferences" not in made["metadata"]
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(deletionPolicy="Delete"))
    await operator.settle()
    made = world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == (group.KIND, world.training["metadata"]["uid"])
    world.edit(lambda spec: spec["checkpoints"]["volume"].update(deletionPolicy="Retain"))
    await operator.settle()
    made = world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    assert "ownerReferences" not in made["metadata"]


async def test_a_lost_volume_stalls(operator: Any) -> None:
    await operator.settle()
    claim = operator.world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    operator.world.store.feed("PersistentVolumeClaim", claim | {"status": {"phase": "Lost"}})
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "VolumeUnavailable"


async def test_a_volume_grows_and_never_shrinks(operator: Any) -> None:
    await operator.settle()
    operator.world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="4Gi"))
    await operator.settle()
    claim = operator.world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "4Gi"
    operator.world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="2048Mi"))
    writes = len([line for line in operator.world.log if line.startswith("patch")])
    await operator.settle()
    assert len([line for line in operator.world.log if line.startswith("patch")]) == writes
