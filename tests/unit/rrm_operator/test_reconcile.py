"""Whole lives of a training in a world without a cluster."""

from typing import Any

import pytest

from rrm_api.run import Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import LIFE, live_until


async def test_a_training_goes_from_creation_to_succeeded(operator: Any) -> None:
    await live_until(operator, "Succeeded")
    world = operator.world
    assert [it.reason for it in world.events] == [
        "Preparing",
        "Provisioning",
        "Starting",
        "Training",
        "Releasing",
        "Exporting",
        "Succeeded",
    ]
    assert world.condition("Succeeded")["status"] == "True"
    assert world.status["attempts"][0]["reason"] == "Succeeded"
    assert world.status["export"] == {"path": "judge/export", "step": 24}
    assert world.status["checkpoints"]["latestStep"] == 24
    assert world.status["observedGeneration"] == 1
    assert "completionTime" in world.status
    assert world.named(Kind.RAY_CLUSTER) == []
    assert world.named(Kind.PERSISTENT_VOLUME_CLAIM) == ["tiny-judge-checkpoints"]


async def test_apply_to_training_takes_at_most_22_writes(operator: Any) -> None:
    await live_until(operator, "Training")
    assert len(operator.world.log) + len(operator.world.events) <= 22


@pytest.mark.parametrize("stage", LIFE)
async def test_an_operator_that_restarts_in_a_stage_does_nothing_twice(operator: Any, stage: str) -> None:
    await live_until(operator, stage)
    writes, events = list(operator.world.log), len(operator.world.events)
    operator.restart()
    assert await operator.settle() == stage
    assert operator.world.log == writes
    assert len(operator.world.events) == events


async def test_an_operator_that_restarts_in_every_stage_writes_what_one_that_never_does_writes(
    operator: Any,
) -> None:
    for stage, event in LIFE.items():
        operator.restart()
        event(operator.world)
        assert await operator.settle() == stage
    made = [line for line in operator.world.log if not line.startswith(("status", "apply"))]
    assert len(made) == len(set(made))
    assert [it.submission_id for it in operator.world.submissions] == ["0a1b2c3d-a1"]


@pytest.mark.parametrize("stage", LIFE)
async def test_deleting_the_status_loses_only_history(operator: Any, stage: str) -> None:
    await live_until(operator, stage)
    acts = [line for line in operator.world.log if line != "status"]
    operator.world.training.pop("status")
    operator.world.apply_training(operator.world.training)
    operator.restart()
    assert await operator.settle() == stage
    assert [line for line in operator.world.log if line != "status"] == acts


async def test_an_attempt_is_counted_before_it_is_submitted(operator: Any) -> None:
    world = operator.world
    await live_until(operator, "Provisioning")
    world.ray_answers = False
    world.cluster_becomes_ready()
    with pytest.raises(Exception, match="no answer"):
        await operator.look()
    assert world.status["attempt"] == 1
    assert world.submissions == []
    operator.restart()
    world.ray_answers = True
    await operator.settle()
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a1"]
    assert [it["number"] for it in world.status["attempts"]] == [1]


async def test_the_end_of_an_attempt_is_recorded_before_its_cluster_is_deleted(operator: Any) -> None:
    await live_until(operator, "Training")
    operator.world.train_fails()
    await operator.look()
    assert operator.world.log[-3:] == [
        "status",
        "delete RayCluster tiny-judge-c1",
        "delete PodDisruptionBudget tiny-judge-ray",
    ]
    assert operator.world.status["attempts"][0]["endTime"]


async def test_a_stale_view_of_the_training_counts_nothing_twice(operator: Any) -> None:
    world = operator.world
    await live_until(operator, "Provisioning")
    world.cluster_becomes_ready()
    world.lags = True
    await operator.look()
    with pytest.raises(Exception, match="changed meanwhile"):
        await operator.look()
    world.catch_up()
    assert await operator.settle() == "Starting"
    assert len(world.submissions) == 1
    assert len([it for it in world.events if it.reason == "Starting"]) == 1


async def test_a_training_that_is_being_deleted_is_left_alone(operator: Any) -> None:
    await live_until(operator, "Training")
    writes = list(operator.world.log)
    operator.world.training["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    operator.world.apply_training(operator.world.training)
    assert await operator.look() is None
    assert operator.world.log == writes


async def test_a_cpu_training_submits_what_the_trainer_expects(operator: Any) -> None:
    await live_until(operator, "Starting")
    (submission,) = operator.world.submissions
    digest = operator.world.digest_read(Role.TRAIN)
    assert submission.entrypoint == (
        f"python -m rrm.train --run /etc/rrm/run.json --attempt 1 --digest {digest}"
    )
    assert submission.endpoint.head_service == "tiny-judge-c1-head-svc"
    secret = operator.world.objects[Kind.SECRET, "tiny-judge-c1-k1"]
    assert secret["stringData"]["auth_token"] == submission.endpoint.token


async def test_an_export_that_is_switched_off_is_not_made(operator: Any) -> None:
    operator.world.edit(lambda spec: spec.update(export={"enabled": False}))
    await live_until(operator, "Releasing")
    operator.world.pods_leave()
    assert await operator.settle() == "Succeeded"
    assert operator.world.condition("Exported")["reason"] == "ExportDisabled"
