"""A real training of two worker pods, world size 2, which loses a worker twice and at last is finished.

attempt 1   a worker pod is deleted               both ranks save and leave: Drained, not one step lost
attempt 2   the other dies between two saves      back to the last checkpoint that is whole: both ranks'
attempt 3   goes on from there to the last step   the export holds the weights of both
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from rrm.train.checkpoints import Checkpoint, list_checkpoints
from tests.e2e.node.lives import Life, delete

pytestmark = [pytest.mark.node, pytest.mark.verl, pytest.mark.long]

NAME = "pair"
NODES = 2
SAVE_EVERY = 2
STEPS = 8
STARTED_WITHIN = 900.0
"""Seconds to the first checkpoint: two ranks and two rollout servers import torch on two cores."""
RANK_PROCESS = "[W]orkerDict"
"""What Ray calls the process of a rank; the bracket keeps the shell that looks from finding itself."""


def small(spec: dict[str, Any]) -> None:
    spec["workers"]["nodes"] = NODES
    spec["training"] |= {"maxSteps": STEPS, "evaluateEverySteps": SAVE_EVERY}
    spec["data"]["validation"]["sources"][0]["limit"] = 8
    spec["checkpoints"]["everySteps"] = SAVE_EVERY
    spec["policy"] = {"restartBackoffSeconds": 1, "stallDeadlineSeconds": 300}


class Pair(Life):
    """A training by verl itself, which is slower to start than one that rehearses."""

    def steps(self, attempt: int) -> list[int]:
        # A validation before the first step, or beside another, has a line of its own.
        return sorted(set(super().steps(attempt)) - {0})

    def wait(self, what: str, holds: Callable[[], Any], *, seconds: float = STARTED_WITHIN) -> Any:
        return super().wait(what, holds, seconds=seconds)

    def whole(self) -> list[Checkpoint]:
        """Return the checkpoints that an attempt could go on from, oldest first."""
        return [found for found in list_checkpoints(self.layout.checkpoints) if found.is_whole]

    def loaded(self, attempt: int) -> set[tuple[int, int]]:
        """Return which ranks of an attempt loaded the model, and of which step, in verl's own words."""
        log = (self.layout.attempt(attempt) / "job.log").read_text(errors="replace")
        found = re.findall(r"\[Rank (\d+)\] Loaded model from \S*/global_step_(\d+)/", log)
        return {(int(rank), int(step)) for rank, step in found}

    def goes_on_with_both_ranks(self, attempt: int) -> bool:
        """Return whether both ranks of an attempt began with what they had saved."""
        start = self.attempts()[attempt - 1]["fromStep"]
        return self.loaded(attempt) == {(rank, start) for rank in range(NODES)}


@pytest.fixture(scope="module")
def pair(make_namespace: Any) -> Pair:
    trainings = make_namespace("two-nodes")
    trainings.apply(NAME, small)
    return Pair(trainings, NAME)


def shards(checkpoint: Checkpoint) -> set[str]:
    return {path.name for path in (checkpoint.path / "actor").glob("*_world_size_*.pt")}


BOTH = {
    f"{part}_world_size_{NODES}_rank_{rank}.pt"
    for part in ("model", "optim", "extra_state")
    for rank in range(NODES)
}


def test_each_of_two_worker_pods_holds_a_rank_and_both_save(pair: Pair) -> None:
    pair.newest()
    workers = pair.pods("worker")
    assert len(workers) == NODES
    for worker in workers:
        found = pair.trainings.kubectl(
            "exec", worker, "-c", "ray-worker", "--", "sh", "-c", f"pgrep -fa '{RANK_PROCESS}'"
        )
        print(f"{worker}: {found}")
        assert len(found.splitlines()) == 1, "one rank in each pod"
    assert shards(pair.whole()[-1]) == BOTH


def test_a_deleted_worker_lets_both_ranks_save_and_not_one_step_is_lost(pair: Pair) -> None:
    with pair.outlives("Drained", lost_at_most=0):
        delete(pair, pair.pods("worker")[0])
    assert pair.goes_on_with_both_ranks(attempt=2)


def test_a_worker_that_dies_without_a_word_costs_the_steps_since_both_ranks_saved(pair: Pair) -> None:
    with pair.outlives("TrainerCrashed", "ClusterLost", lost_at_most=SAVE_EVERY) as attempt:
        pair.wait("a step that is not saved", lambda: pair.steps(attempt)[-1] > pair.saved())
        worker = pair.pods("worker")[1]
        pair.trainings.kubectl("exec", worker, "-c", "ray-worker", "--", "pkill", "-KILL", "raylet")
    assert pair.goes_on_with_both_ranks(attempt=3)


def test_then_it_is_finished_and_the_export_holds_what_both_ranks_had(pair: Pair, claim: Path) -> None:
    seen = pair.trainings.until(NAME, lambda glimpse: glimpse.is_decided, seconds=STARTED_WITHIN)
    status = seen["status"]
    assert status["stage"] == "Succeeded", status
    last = pair.whole()[-1]
    assert last.step == STEPS
    assert shards(last) == BOTH
    assert shapes(pair.layout.volume / status["export"]["path"]) == shapes(claim / "model")


def shapes(model: Path) -> dict[str, list[int]]:
    """Return the shape of each tensor: a rank has a half of each."""
    with safe_open(model / "model.safetensors", framework="numpy") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}
