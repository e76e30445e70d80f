"""A real training of two worker pods, world size 2, which is interrupted once."""

import json
from typing import Any

import pytest

from rrm.train.checkpoints import list_checkpoints
from rrm_api.layout import Layout

pytestmark = [pytest.mark.node, pytest.mark.verl, pytest.mark.long]

NAME = "pair"
MINE = f"training.rrm.dev/training={NAME}"
NODES = 2
SAVE_EVERY = 2
STEPS = 6
STARTED_WITHIN = 900.0
"""Seconds to the first checkpoint: two ranks and two rollout servers import torch on two cores."""


def small(spec: dict[str, Any]) -> None:
    spec["workers"]["nodes"] = NODES
    spec["training"] |= {"maxSteps": STEPS, "evaluateEverySteps": SAVE_EVERY}
    spec["data"]["validation"]["sources"][0]["limit"] = 8
    spec["checkpoints"]["everySteps"] = SAVE_EVERY
    spec["policy"] = {"restartBackoffSeconds": 1, "stallDeadlineSeconds": 300}


@pytest.fixture(scope="module")
def pair(make_namespace: Any) -> Any:
    trainings = make_namespace("two-nodes")
    trainings.apply(NAME, small)
    return trainings


def layout(trainings: Any) -> Layout:
    return Layout(trainings.volume(NAME), NAME)


def saved(trainings: Any) -> int:
    return int(trainings.status(NAME).get("checkpoints", {}).get("latestStep", 0))


def test_both_ranks_save_and_resume_and_the_training_is_finished(pair: Any) -> None:
    pair.wait_for("a checkpoint", lambda: saved(pair), seconds=STARTED_WITHIN)
    workers = pair.names("pods", f"{MINE},training.rrm.dev/role=worker")
    assert len(workers) == NODES
    whole = [it for it in list_checkpoints(layout(pair).checkpoints) if it.is_whole]
    for rank in range(NODES):
        assert (whole[-1].path / "actor" / f"model_world_size_{NODES}_rank_{rank}.pt").exists()

    pair.kubectl("delete", "pod", workers[0], "--wait=false")
    seen = pair.until(NAME, lambda glimpse: glimpse.is_decided, seconds=STARTED_WITHIN)

    first, second = seen["status"]["attempts"]
    print(f"attempts {first} {second}")
    assert first["reason"] == "Drained"
    assert second["fromStep"] == first["savedStep"] > 0
    assert seen["status"]["stage"] == "Succeeded", seen["status"]
    assert seen["status"]["export"]["path"]
    log = (layout(pair).attempt(2) / "metrics.jsonl").read_text().splitlines()
    steps = sorted({json.loads(line)["step"] for line in log})
    assert [step for step in steps if step > first["savedStep"]] == list(
        range(first["savedStep"] + 1, STEPS + 1)
    )
