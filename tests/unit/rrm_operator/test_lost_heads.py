"""A lost head: seen at once, counted before its attempt could be submitted too, and no GPU waits for it."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_training, stalled

HEAD = "tiny-judge-c1-head"


def is_being_deleted(world: Any) -> None:
    world.delete_pod(HEAD)


def has_ended(world: Any) -> None:
    world.change_pod(HEAD, phase="Failed")


def is_gone(world: Any) -> None:
    world.remove(Kind.POD, HEAD)
    world.set_cluster(head=False, workers=1)


@pytest.mark.parametrize("loses_head", [is_being_deleted, has_ended, is_gone])
async def test_a_cluster_that_lost_its_head_before_the_submission_counts_and_another_is_made(
    operator: Any, loses_head: Callable[[Any], None]
) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    loses_head(world)
    assert await operator.settle() == "Releasing"
    assert "the head pod" in world.events[-1].message
    assert world.submissions == []
    world.pods_leave()
    assert await operator.settle() == "BackingOff"
    world.seconds += 10
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a2"]
    attempts = world.status["attempts"]
    assert [(it["number"], it.get("reason"), it["restarts"]) for it in attempts] == [
        (1, "ClusterLost", 0),
        (2, None, 1),
    ]


async def test_a_head_pod_that_has_merely_not_been_heard_of_is_not_lost(operator: Any) -> None:
    await live_until_provisioning(operator)
    operator.world.set_cluster(head=True, workers=1)
    assert await operator.settle() == "Starting"


async def test_a_head_that_is_lost_before_all_pods_were_ready_once_is_left_to_kuberay(operator: Any) -> None:
    await live_until_provisioning(operator)
    operator.world.set_cluster(head=False, workers=0)
    assert await operator.settle() == "Provisioning"
    operator.world.add_pod("tiny-judge-c1", "head", phase="Failed")
    assert await operator.settle() == "Provisioning"
    assert operator.world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]


async def test_the_release_names_the_pods_that_remain_three_at_most(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_fails()
    assert await operator.settle() == "Releasing"
    waits = "waiting until its pods are gone: tiny-judge-c1-head, tiny-judge-c1-worker"
    assert world.condition("Ready")["message"].endswith(waits)
    world.add_pod("tiny-judge-c1", "worker")
    for number in range(4):
        pod = world.objects[Kind.POD, "tiny-judge-c1-worker"]
        name = {"name": f"tiny-judge-c1-worker-{number}", "uid": f"w{number}"}
        world.store.feed(Kind.POD, pod | {"metadata": pod["metadata"] | name})
    assert await operator.settle() == "Releasing"
    assert world.condition("Ready")["message"].endswith("tiny-judge-c1-worker-0 and 3 more")


async def test_a_deleted_head_is_seen_at_once_and_nothing_happens_before_its_pods_are_gone(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.delete_pod("tiny-judge-c1-head")
    assert await operator.settle() == "Releasing"
    assert world.condition("ClusterReady")["reason"] == "ClusterLost"
    world.edit(lambda spec: spec["training"].update(learningRate="1e-5"))
    world.remove(Kind.POD, "tiny-judge-c1-head")
    world.remove(Kind.RAY_CLUSTER, "tiny-judge-c1")
    assert await operator.settle() == "Releasing", "the worker still writes"
    assert world.named(Kind.RAY_CLUSTER) == []
    world.pods_leave()
    assert await operator.settle() == "Preparing"


async def test_a_lost_head_fails_a_training_without_restarts_and_names_the_head(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.delete_pod("tiny-judge-c1-head")
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert stalled(operator)["reason"] == "RestartsExhausted"
    assert "tiny-judge-c1-head" in stalled(operator)["message"]


async def test_a_head_that_only_one_witness_misses_is_not_lost(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.remove(Kind.POD, "tiny-judge-c1-head")
    assert await operator.settle() == "Training"
    operator.world.set_cluster(head=False, workers=1)
    assert await operator.settle() == "Releasing"


async def test_a_record_that_comes_after_the_loss_has_the_last_word(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.delete_pod("tiny-judge-c1-head")
    await operator.settle()
    operator.world.train_ends()
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Exporting"


async def test_a_head_that_was_restarted_in_place_has_forgotten_the_job(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.change_pod("tiny-judge-c1-head", containerStatuses=[{"name": "main", "restartCount": 1}])
    assert await operator.settle() == "Training", "it was restarted before the job was handed in"
    world.jobs.clear()
    world.seconds += 15
    world.train_reports(8)
    assert await operator.settle() == "Releasing"
    assert world.status["failure"]["reason"] == "ClusterLost"
