"""The operator is killed and started again, at each stage and at any moment: nothing is done twice."""

import random
import threading
import time
from collections import Counter
from typing import Any

import pytest

pytestmark = pytest.mark.fakenodes

MADE_ONCE = {
    "persistentvolumeclaims": 1,
    "secrets": 1,
    "rayclusters": 1,
    "jobs": 2,
}
"""A whole life: one volume, one token, one RayCluster, a prepare and an export Job."""


def made(world: Any) -> dict[str, int]:
    """Return how many objects of each kind the operator really made."""
    created = Counter(it.resource for it in world.operator.asked() if it.verb == "create" and it.code == 201)
    return {kind: created[kind] for kind in MADE_ONCE}


def restart(world: Any) -> None:
    world.operator.kill()
    world.operator.start()


def test_killed_at_each_stage_it_goes_on_and_does_nothing_twice(world: Any, manifest: Any) -> None:
    judge = world.apply(manifest("judge"))
    world.stage("judge", "Preparing")
    restart(world)

    judge.prepared()
    world.until("a RayCluster", lambda: world.all("raycluster"))
    restart(world)

    world.stage("judge", "Starting", seconds=120)
    restart(world)
    world.until("a submission", lambda: world.ray.submitted)

    judge.progress(1, step=3)
    world.stage("judge", "Training")
    restart(world)
    time.sleep(2)
    assert [it["metadata"]["name"] for it in world.all("raycluster")] == ["judge-c1"]

    judge.trained()
    restart(world)
    world.stage("judge", "Exporting", seconds=120)
    restart(world)

    judge.exported()
    world.stage("judge", "Succeeded")
    before = len(world.operator.asked())
    restart(world)
    time.sleep(3)

    assert [it for it in world.operator.asked()[before:] if it.verb in ("create", "patch", "delete")] == []
    assert len(world.ray.submitted) == 1
    assert made(world) == MADE_ONCE
    assert [it["number"] for it in world.status("judge")["attempts"]] == [1]


def test_killed_at_any_moment_it_goes_on_and_does_nothing_twice(world: Any, manifest: Any) -> None:
    lives, ending = 0, threading.Event()
    chance = random.Random(20261123)

    def kill_now_and_then() -> None:
        nonlocal lives
        while not ending.wait(chance.uniform(0.2, 3.0)):
            restart(world)
            lives += 1

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        judge = world.apply(manifest("judge"))
        judge.prepared()
        world.until("a submission", lambda: world.ray.submitted, seconds=180)
        judge.progress(1, step=3)
        world.stage("judge", "Training", seconds=60)
        judge.trained()
        world.stage("judge", "Exporting", seconds=180)
        judge.exported()
        world.stage("judge", "Succeeded", seconds=60)
    finally:
        ending.set()
        killer.join(timeout=90)

    assert lives >= 3
    assert len(world.ray.submitted) == 1
    assert made(world) == MADE_ONCE
    assert [it["number"] for it in world.status("judge")["attempts"]] == [1]


def test_a_submission_whose_answer_is_lost_is_not_sent_as_a_second_job(world: Any, manifest: Any) -> None:
    world.ray.loses_answers = 1
    judge = world.apply(manifest("judge"))
    judge.prepared()
    world.until("a submission", lambda: world.ray.submitted, seconds=120)
    judge.progress(1, step=3)
    world.stage("judge", "Training")
    assert len(world.ray.submitted) == 1
    assert world.ray.posts == 1
