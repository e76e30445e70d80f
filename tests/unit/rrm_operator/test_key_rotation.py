"""Keys come and go while trainings run: each RayCluster keeps the token that it was made with."""

from typing import Any

import pytest

from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import Kind, RayJobFact
from rrm_operator.keys import RayKeys
from rrm_operator.ports import RayEndpoint, Stop, Submission
from tests.unit.rrm_operator.lives import live_until_provisioning

OLD = RayKeys({"k1": b"the first key of all"}, newest="k1")
BOTH = RayKeys({"k1": b"the first key of all", "k2": b"the second key of all"}, newest="k2")
NEW = RayKeys({"k2": b"the second key of all"}, newest="k2")


def use(operator: Any, keys: RayKeys) -> None:
    """Start the operator with other keys."""
    operator.keys = keys
    operator.restart()


@pytest.fixture
def guarded(operator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A world whose Ray answers only who has the token in the RayCluster's Secret."""
    world = operator.world
    look, submit, stop = world.look, world.submit, world.stop

    def check(endpoint: RayEndpoint) -> None:
        tokens = [
            it["stringData"]["auth_token"]
            for (kind, name), it in world.planned.items()
            if kind == Kind.SECRET and name.startswith(f"{endpoint.cluster}-")
        ]
        if endpoint.token not in tokens:
            raise RayUnavailable("HTTP 401: Unauthorized: Missing authentication token")

    async def guarded_look(endpoint: RayEndpoint, submission_id: str) -> RayJobFact:
        check(endpoint)
        found: RayJobFact = await look(endpoint, submission_id)
        return found

    async def guarded_submit(submission: Submission) -> None:
        check(submission.endpoint)
        await submit(submission)

    async def guarded_stop(order: Stop) -> None:
        check(order.endpoint)
        await stop(order)

    for name, method in (("look", guarded_look), ("submit", guarded_submit), ("stop", guarded_stop)):
        monkeypatch.setattr(world, name, method)
    use(operator, OLD)
    return operator


async def provisioned(operator: Any) -> None:
    await live_until_provisioning(operator)
    operator.world.cluster_becomes_ready()


def secrets(operator: Any) -> list[str]:
    return [name for kind, name in operator.world.planned if kind == Kind.SECRET]


async def test_a_raycluster_that_runs_keeps_its_key_when_a_new_one_is_current(guarded: Any) -> None:
    await provisioned(guarded)
    use(guarded, BOTH)
    assert await guarded.settle() == "Starting"
    (submission,) = guarded.world.submissions
    assert submission.endpoint.token == OLD.token(guarded.world.training["metadata"]["uid"], "k1")
    assert secrets(guarded) == ["tiny-judge-c1-k1"]


async def test_a_raycluster_that_is_made_later_has_the_new_key(guarded: Any) -> None:
    use(guarded, BOTH)
    await provisioned(guarded)
    assert await guarded.settle() == "Starting"
    assert secrets(guarded) == ["tiny-judge-c1-k2"]


async def test_a_training_whose_key_was_retired_ends_well_since_its_trainer_reports(guarded: Any) -> None:
    await provisioned(guarded)
    await guarded.settle()
    guarded.world.train_reports(3)
    await guarded.settle()
    use(guarded, NEW)
    guarded.world.train_reports(4)
    assert await guarded.settle() == "Training"
    guarded.world.train_ends()
    await guarded.settle()
    guarded.world.pods_leave()
    assert await guarded.settle() == "Exporting"


async def end_of(operator: Any, *, stages: tuple[str, ...]) -> str:
    """Look every 30 s until a stage is reached; its pods leave as soon as they are asked to."""
    world = operator.world
    for _ in range(200):
        try:
            await operator.look()
        except RayUnavailable:
            pass  # `handlers` looks again.
        if (stage := str(world.status["stage"])) in stages:
            return stage
        world.pods_leave()
        world.seconds += 30
    raise AssertionError(f"still {world.status['stage']}: {world.condition('Ready')['message']}")


async def test_gpus_of_a_raycluster_that_nobody_can_submit_to_are_given_back_in_time(guarded: Any) -> None:
    world = guarded.world
    await provisioned(guarded)
    use(guarded, NEW)
    with pytest.raises(RayUnavailable):
        await guarded.look()
    assert await guarded.settle() == "Starting"
    assert "401" in world.condition("Ready")["message"]
    begun = world.seconds
    assert await end_of(guarded, stages=("Stalled", "Failed", "BackingOff", "Provisioning")) != "Starting"
    assert world.seconds - begun <= 3600 + 300
    assert world.named(Kind.RAY_CLUSTER) in ([], ["tiny-judge-c2"])


async def test_a_training_whose_key_was_retired_can_still_be_suspended_and_goes_on_with_the_new_key(
    guarded: Any,
) -> None:
    world = guarded.world
    await provisioned(guarded)
    await guarded.settle()
    world.train_reports(3)
    await guarded.settle()
    use(guarded, NEW)
    world.edit(lambda spec: spec.update(suspend=True))
    await end_of(guarded, stages=("Suspended",))
    assert world.named(Kind.RAY_CLUSTER) == []
    world.edit(lambda spec: spec.update(suspend=False))
    await end_of(guarded, stages=("Provisioning",))
    world.cluster_becomes_ready()
    await guarded.settle()
    assert secrets(guarded)[-1].endswith("-k2")
    assert len(world.submissions) == 2


async def test_a_hang_under_a_retired_key_ends_by_the_stall_deadline(guarded: Any) -> None:
    world = guarded.world
    await provisioned(guarded)
    await guarded.settle()
    world.train_reports(3)
    await guarded.settle()
    use(guarded, NEW)
    await end_of(guarded, stages=("BackingOff", "Provisioning"))
    assert "tiny-judge-c1" not in world.named(Kind.RAY_CLUSTER)
