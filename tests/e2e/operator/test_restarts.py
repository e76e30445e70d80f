"""The operator is killed and started again, at each stage and at any moment: nothing is done twice."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rrm_api.run import digest_of
from rrm_test_cluster.rig.trainer_stand_in import TRAINED

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


def stops(world: Any, judge: Any, *, step: int) -> None:
    """Let the trainer of the first attempt answer that it saved and left, as it was asked to."""
    run = json.loads(world.get("configmap", f"{judge.training}-run")["data"]["run.json"])
    saved = {**TRAINED, "step": step, "checkpoints": {"latestStep": step, "bytes": 1000}}
    told = {"reason": "CheckpointSaved", "message": f"stopped on request after step {step}"}
    judge.record("train", digest_of(run), attempt=1, result="Stopped", exitCode=30, trained=saved, **told)


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


def test_killed_while_it_stops_rests_and_backs_off_it_goes_on_and_does_nothing_twice(
    world: Any, manifest: Any
) -> None:
    policy = {"restartBackoffSeconds": 20}
    judge = world.apply(manifest("judge", policy=policy))
    judge.prepared()
    world.until("a submission", lambda: world.ray.submitted, seconds=120)
    judge.progress(1, step=3)
    world.stage("judge", "Training")

    world.apply(manifest("judge", policy=policy, suspend=True))
    world.stage("judge", "Stopping")
    restart(world)
    progress = world.get("configmap", "judge-progress")
    assert progress["metadata"]["annotations"]["training.rrm.dev/stop-attempt"] == "1"
    stops(world, judge, step=4)
    world.stage("judge", "Suspended", seconds=120)
    restart(world)
    assert world.names("raycluster") == []

    world.apply(manifest("judge", policy=policy, suspend=False))
    world.until("attempt 2", lambda: len(world.ray.submitted) == 2, seconds=120)
    judge.progress(2, step=5)
    world.stage("judge", "Training")
    judge.failed(2, exit_code=20, log_tail="RuntimeError: NCCL error")
    begins = world.stage("judge", "BackingOff")
    restart(world)
    assert world.stage("judge", "BackingOff")["attempts"] == begins["attempts"]
    world.until("attempt 3", lambda: len(world.ray.submitted) == 3, seconds=120)
    restart(world)

    judge.progress(3, step=6)
    attempts = world.stage("judge", "Training")["attempts"]
    assert [it.get("reason") for it in attempts] == ["Suspended", "TrainerCrashed", None]
    assert len(world.ray.submitted) == 3
    assert made(world) == {**MADE_ONCE, "secrets": 2, "rayclusters": 2, "jobs": 1}


def test_killed_at_any_moment_it_goes_on_and_does_nothing_twice(world: Any, manifest: Any) -> None:
    names = ("first", "second", "third")
    with killed_now_and_then(world) as kills:
        for name in names:
            live(world, world.apply(manifest(name)))

    print(f"killed {len(kills)} times in {len(names)} lives")
    assert len(kills) >= len(names)
    assert len({it.submission_id for it in world.ray.submitted}) == len(world.ray.submitted) == len(names)
    assert made(world) == {kind: count * len(names) for kind, count in MADE_ONCE.items()}
    for name in names:
        assert [it["number"] for it in world.status(name)["attempts"]] == [1]


def live(world: Any, judge: Any) -> None:
    judge.prepared()
    posted = len(world.ray.submitted)
    world.until("a submission", lambda: len(world.ray.submitted) > posted, seconds=180)
    judge.progress(1, step=3)
    world.stage(judge.training, "Training", seconds=90)
    judge.trained()
    world.stage(judge.training, "Exporting", seconds=180)
    judge.exported()
    world.stage(judge.training, "Succeeded", seconds=90)


@contextmanager
def killed_now_and_then(world: Any) -> Iterator[list[float]]:
    """Kill the operator again and again, also while it starts; yields the seconds that it lived."""
    kills: list[float] = []
    chance, ending = random.Random(20261123), threading.Event()

    def kill() -> None:
        while not ending.is_set():
            started = time.monotonic()
            # One in three dies while it starts; the others get something done, however busy the machine.
            if chance.random() > 1 / 3:
                world.operator.wait_ready()
            ending.wait(chance.uniform(0.0, 2.5))
            world.operator.kill()
            kills.append(time.monotonic() - started)
            world.operator.launch()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield kills
    finally:
        ending.set()
        killer.join(timeout=30)


def test_a_submission_whose_answer_is_lost_is_not_sent_as_a_second_job(world: Any, manifest: Any) -> None:
    world.ray.loses_answers = 1
    judge = world.apply(manifest("judge"))
    judge.prepared()
    world.until("a submission", lambda: world.ray.submitted, seconds=120)
    judge.progress(1, step=3)
    world.stage("judge", "Training")
    assert len(world.ray.submitted) == 1
    assert world.ray.posts == 1
