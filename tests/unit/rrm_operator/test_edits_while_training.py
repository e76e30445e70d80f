"""Edits while an attempt begins or runs: what they change and leave alone, and that they hide no failure."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_training


def grows_the_volume(spec: Any) -> None:
    spec["checkpoints"]["volume"].update(size="4Gi")


def moves_the_jobs(spec: Any) -> None:
    spec.update(jobs={"nodeSelector": {"pool": "cpu"}})


def learns_slower(spec: Any) -> None:
    spec["training"].update(learningRate="1e-5")


@pytest.mark.parametrize("change", [grows_the_volume, moves_the_jobs])
@pytest.mark.parametrize("restarts", [False, True])
async def test_an_edit_that_shapes_no_run_starts_no_attempt_after_a_later_failure(
    unforgiving: Any, change: Callable[[Any], None], restarts: bool
) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.edit(change)
    assert await operator.settle() == "Training"
    if restarts:
        operator.restart()
    world.train_fails()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert world.status["failure"]["reason"] == "RestartsExhausted"
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_a_lost_head_is_told_although_the_learning_rate_was_edited_and_the_edit_is_tried(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(learns_slower)
    assert await operator.settle() == "Training"
    world.delete_pod("tiny-judge-c1-head")
    assert await operator.settle() == "Releasing"
    assert "tiny-judge-c1-head" in world.status["failure"]["message"]
    assert world.condition("ClusterReady")["reason"] == "ClusterLost"
    assert world.status["attempts"][0]["reason"] == "ClusterLost"
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    assert world.status["attempts"][0]["reason"] == "ClusterLost"


async def test_an_attempt_that_an_edit_replaced_is_no_failure_before_and_after_its_pods_leave(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(lambda spec: spec.update(reward={"linear": {}}))
    await operator.look()
    assert world.log[-3:-1] == ["status", "delete RayCluster tiny-judge-c1"]
    assert world.status["attempts"][0]["reason"] == "Replaced", "recorded before the deletion"
    operator.restart()
    assert await operator.settle() == "Releasing"
    assert "failure" not in world.status
    assert world.condition("ClusterReady")["reason"] == "ClusterReleased"
    world.pods_leave()
    assert await operator.settle() == "Preparing"


async def test_what_was_prepared_stays_told_while_an_edited_training_trains_on(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    shown = {name: world.status[name] for name in ("data", "floors", "resolved")}
    before = len(world.log)
    world.edit(learns_slower)
    assert await operator.settle() == "Training"
    assert world.log[before:] == ["status"], "no Job and no run file for the edit yet"
    assert world.condition("DataPrepared")["status"] == "True"
    assert {name: world.status.get(name) for name in shown} == shown
    world.delete_pod("tiny-judge-c1-head")
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    assert world.condition("DataPrepared")["status"] == "Unknown"
    assert "data" not in world.status


async def test_a_next_attempt_that_lost_its_cluster_early_is_still_made_for_the_edit(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_fails()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "BackingOff"
    world.edit(lambda spec: spec["workers"].update(nodeSelector={"pool": "gpu"}))
    assert await operator.settle() == "Provisioning"
    world.cluster_becomes_ready()
    world.delete_pod("tiny-judge-c2-head")
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "BackingOff"
    world.seconds += 10
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c3"]


async def test_an_edit_while_training_waits_for_the_next_attempt(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.edit(lambda spec: spec["training"].update(learningRate="1e-5"))
    assert await operator.settle() == "Training"
    assert operator.world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]
    operator.world.train_ends()
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Exporting"
    operator.world.export_succeeds()
    assert await operator.settle() == "Succeeded"


async def test_an_edit_that_makes_the_rows_useless_starts_anew(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(lambda spec: spec["reward"].update(exponential={"k": "3"}))
    assert await operator.settle() == "Releasing"
    assert "failure" not in world.status
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    assert world.status["attempts"][0]["reason"] == "Replaced"


async def test_an_edit_before_the_submission_replaces_the_cluster(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    world.edit(lambda spec: spec["workers"].update(nodeSelector={"pool": "gpu"}))
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Provisioning"
    (cluster,) = world.named(Kind.RAY_CLUSTER)
    group = world.objects[Kind.RAY_CLUSTER, cluster]["spec"]["workerGroupSpecs"][0]
    assert group["template"]["spec"]["nodeSelector"] == {"pool": "gpu"}
