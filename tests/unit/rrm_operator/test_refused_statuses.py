"""The API server refuses a status for the words in it: what is decided upon is told without, and goes on."""

import json
import logging
from typing import Any

import pytest

from rrm_api import group
from rrm_api.structural import structural_schema
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.errors import Conflict, Refused
from rrm_operator.facts import Key, Kind, Manifest
from rrm_operator.report import MINOR_SECONDS
from tests.unit.rrm_operator.test_retry_as_promised import training
from tests.unit.structural_rules import faults

SCHEMA = structural_schema(RewardModelTraining)["properties"]["status"]
POISON = "not to be told"
FIELD = "status.progress.validation[0].name: Invalid value"
UNTOLD = "not told: the API server refused the words of this status; the operator's log names the field"


class Critic:
    """An API server that refuses every status with a certain word in it, or all of them."""

    def __init__(self, world: Any) -> None:
        self.world, self.accept = world, world.patch_status
        self.asked = self.refused = 0
        self.refuses_all = False
        world.patch_status = self.patch_status

    async def patch_status(self, key: Key, status: Manifest, *, resource_version: str | None) -> None:
        self.asked += 1
        if self.refuses_all or POISON in json.dumps(status):
            self.refused += 1
            raise Refused(f"PATCH /status: HTTP 422: RewardModelTraining is invalid: {FIELD}")
        await self.accept(key, status, resource_version=resource_version)
        assert faults(SCHEMA, self.world.status) == []


@pytest.fixture
def critic(operator: Any) -> Critic:
    return Critic(operator.world)


def says_poison(world: Any, step: int, *, attempt: int = 1) -> None:
    world.train_reports(step, attempt=attempt)
    text = world.objects[Kind.CONFIG_MAP, "tiny-judge-progress"]["data"]["progress"]
    document = json.loads(text) | {"validation": [{"name": POISON, "value": "0.5"}]}
    world.write_progress("progress", json.dumps(document))


async def test_an_attempt_ends_is_released_and_followed_though_its_words_are_refused(
    operator: Any, critic: Critic, caplog: pytest.LogCaptureFixture
) -> None:
    world = operator.world
    await training(operator)
    world.seconds += 60
    says_poison(world, 9)
    assert await operator.settle() == "Training"
    assert (critic.refused, len(world.named(Kind.RAY_CLUSTER))) == (1, 1)
    (line,) = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert FIELD in line.getMessage()
    assert line.__dict__["training"] == "demo/tiny-judge"
    world.train_fails(exit_code=20)
    assert await operator.settle() == "Releasing"
    assert "delete RayCluster tiny-judge-c1" in world.log
    (attempt,) = world.status["attempts"]
    assert (attempt["reason"], attempt["number"]) == ("TrainerCrashed", 1)
    assert attempt["endTime"]
    world.pods_leave()
    assert await operator.settle() == "BackingOff"
    world.seconds += 700
    assert await operator.settle() == "Provisioning"
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert [it["number"] for it in world.status["attempts"]] == [1, 2]


async def test_its_conditions_are_told_without_their_words_and_progress_stays_as_it_was(
    operator: Any, critic: Critic
) -> None:
    world = operator.world
    await training(operator)
    world.seconds += 60
    before = world.status
    says_poison(world, 12)
    world.train_fails(exit_code=20)
    await operator.look()
    assert world.condition("Ready")["reason"] == world.events[-1].reason == "Releasing"
    assert world.condition("Ready")["message"] == world.status["failure"]["message"] == UNTOLD
    assert world.status["failure"]["reason"] == "TrainerCrashed"
    for part in ("progress", "data", "floors", "resolved"):
        assert world.status[part] == before[part]
    events = len(world.events)
    for _ in range(3):
        await operator.look()
    assert len(world.events) == events


async def test_a_checkpoint_and_a_retry_are_told_for_they_are_decided_upon(
    operator: Any, critic: Critic
) -> None:
    world = operator.world
    await training(operator)
    says_poison(world, 12)
    document = json.loads(world.objects[Kind.CONFIG_MAP, "tiny-judge-progress"]["data"]["progress"])
    world.write_progress("progress", json.dumps(document | {"checkpoints": {"latestStep": 12}}))
    world.annotate(**{group.ANNOTATION_RETRY: "monday"})
    await operator.settle()
    assert world.status["checkpoints"] == {"latestStep": 12}
    assert world.status["lastHandledRetry"] == "monday"


async def test_the_whole_is_tried_again_after_a_while_and_told_once_it_is_accepted(
    operator: Any, critic: Critic
) -> None:
    world = operator.world
    await training(operator)
    world.seconds += 60
    says_poison(world, 9)
    await operator.settle()
    for step in range(10, 19):
        world.seconds += 2
        says_poison(world, step)
        await operator.settle()
    assert critic.refused == 1
    assert await operator.look() == MINOR_SECONDS - 18
    world.seconds += MINOR_SECONDS - 18
    await operator.settle()
    assert critic.refused == 2
    world.seconds += MINOR_SECONDS
    world.train_reports(20)
    await operator.settle()
    assert world.status["progress"]["step"] == 20
    assert world.condition("Ready")["message"] != UNTOLD
    assert await operator.settle() == "Training"


async def test_what_is_refused_without_the_words_too_stops_it_before_anything_is_done(
    operator: Any, critic: Critic
) -> None:
    world = operator.world
    await training(operator)
    world.train_fails(exit_code=20)
    critic.refuses_all = True
    with pytest.raises(Refused):
        await operator.look()
    assert "delete RayCluster tiny-judge-c1" not in world.log
    critic.refuses_all = False
    assert await operator.settle() == "Releasing"


async def test_a_conflict_is_no_refusal(operator: Any, critic: Critic) -> None:
    await training(operator)
    operator.world.train_fails(exit_code=20)

    async def conflict(*_: Any, **__: Any) -> None:
        critic.asked += 1
        raise Conflict("the training changed meanwhile")

    operator.world.patch_status, critic.asked = conflict, 0
    with pytest.raises(Conflict):
        await operator.look()
    assert critic.asked == 1
