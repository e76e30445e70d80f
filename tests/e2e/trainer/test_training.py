"""The real verl, end to end on a CPU: learning, agreement, checkpoints, export, and going on after a stop."""

import json
import math
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import pyarrow.parquet as pq
import pytest

from rrm.reasoning import RULES
from rrm.rewards import score_answer
from rrm.scales import Scale
from rrm.templates.pointwise import PointwiseTemplate
from rrm.train.answers import read_answers
from rrm.train.checkpoints import list_checkpoints
from rrm.train.history import read_attempt
from rrm.train.validations import read_validations
from rrm_api.run import Progress
from rrm_api.spec_data import ExponentialReward, Reward

pytestmark = pytest.mark.verl
EVALUATED = [0, 10, 20, 30, 40]
HALF = 20
ROWS = 40
"""Validation rows, each answered four times."""
SAMPLES = 16
"""Answers to each of them outside verl."""
HERE = Path(__file__).parent


def test_it_goes_to_the_end_and_says_what_came_of_it(trained: Any) -> None:
    assert trained.exit_code == 0, trained.printed[-4000:]
    for text in ("floor constant-", "untrained", "trained, step", "lift over", "LEARNING", "total time"):
        assert text in trained.printed


def test_it_learns_what_can_be_learnt(trained: Any) -> None:
    validations = read_validations(trained.folder / "validations.json")
    assert sorted(validations) == EVALUATED
    assert validations[trained.steps]["reward"] - validations[0]["reward"] >= 0.15


def test_rollout_and_actor_agree_at_every_step(trained: Any) -> None:
    metrics = read_attempt(trained.folder / "attempt-1" / "metrics.jsonl")
    trained_steps = [step for step in metrics if step > 0]
    assert trained_steps == list(range(1, trained.steps + 1))
    worst = max(metrics[step]["training/rollout_probs_diff_max"] for step in trained_steps)
    assert worst < 1e-4


def test_each_step_says_how_sure_the_judge_was_where_it_was_right_and_where_wrong(trained: Any) -> None:
    metrics = read_attempt(trained.folder / "attempt-1" / "metrics.jsonl")
    for step in range(1, trained.steps + 1):
        found = metrics[step]
        low, high = sorted((found["rrm/entropy_right"], found["rrm/entropy_wrong"]))
        assert 0 <= low <= found["rrm/entropy"] <= high


def test_every_validation_answered_the_same_rows_four_times(trained: Any) -> None:
    rows = {}
    for step in EVALUATED:
        answers = read_answers(trained.folder / "attempt-1" / f"validation-{step}.parquet")
        rows[step] = sorted(answer.row_id for answer in answers)
        assert len(rows[step]) == 4 * ROWS
    assert all(ids == rows[0] for ids in rows.values())


def test_whole_checkpoints_are_kept(trained: Any) -> None:
    found = [(c.step, c.is_whole) for c in list_checkpoints(trained.folder / "checkpoints")]
    assert found == [(HALF, True), (trained.steps, True)]


def test_our_hooks_cost_little(trained: Any) -> None:
    metrics = read_attempt(trained.folder / "attempt-1" / "metrics.jsonl")
    shares = [metrics[step]["rrm/hook_seconds_share"] for step in range(1, trained.steps + 1)]
    assert median(shares) <= 0.02


def test_progress_on_the_volume_goes_to_the_last_step(trained: Any) -> None:
    lines = (trained.folder / "attempt-1" / "progress.jsonl").read_text().splitlines()
    last = Progress.model_validate_json(lines[-1])
    assert (last.phase, last.step, last.total_steps) == ("Finished", trained.steps, trained.steps)
    assert last.checkpoints.latest_path == f"sentiment/checkpoints/global_step_{trained.steps}"
    assert last.lift is not None


def test_the_report_of_a_real_run_has_its_verdict(
    trained: Any, tmp_path: Path, rrm_command: Callable[..., Any]
) -> None:
    done = rrm_command("report", trained.folder, "--output", tmp_path / "report.html")
    assert done.returncode == 0, done.stdout
    page = (tmp_path / "report.html").read_text()
    assert "LEARNING" in page
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["versions"]["isRecorded"]
    assert report["versions"]["packages"]["verl"] == "0.9.1"


def test_the_exported_judge_scored_outside_verl_is_the_one_that_verl_validated(
    trained: Any, trainer_python: Path
) -> None:
    """The mean reward by row, both sides sampled alike, differs by at most two standard errors."""
    folder = trained.folder / "export"
    assert "## Validation" in (folder / "README.md").read_text()
    file = trained.folder / "data" / "validation.parquet"
    done = subprocess.run(
        [str(trainer_python), str(HERE / "ask_judge.py"), str(folder), str(file), str(SAMPLES)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = json.loads(done.stdout.rpartition("ANSWERS ")[2])
    rows = pq.read_table(file, columns=["row_id", "label"]).to_pylist()
    assert len(answers) == SAMPLES * len(rows) == SAMPLES * ROWS
    outside = {row["row_id"]: mean(earned(answers[i :: len(rows)], row)) for i, row in enumerate(rows)}
    step = int((folder / "README.md").read_text().partition("by GRPO, step ")[2].partition(" ")[0])
    inside = defaultdict(list)
    for answer in read_answers(trained.folder / "attempt-1" / f"validation-{step}.parquet"):
        inside[answer.row_id].append(answer.reward)
    differences = [mean(inside[row]) - outside[row] for row in outside]
    assert abs(mean(differences)) <= 2 * stdev(differences) / math.sqrt(len(differences))


def earned(answers: list[str], row: dict[str, Any]) -> list[float]:
    """What answers to a row earn by the training's own template and reward."""
    scale = Scale(0, 4)
    template = PointwiseTemplate(label="helpfulness", scale=scale, reasoning=RULES["None"])
    reward = Reward(exponential=ExponentialReward())
    paid = (score_answer(a, row["label"], template=template, scale=scale, reward=reward) for a in answers)
    return [outcome.score for outcome in paid]


# Going on from the half, after the last save was cut off.


def test_a_save_that_was_cut_off_is_passed_over_and_named(resumed: Any) -> None:
    assert resumed.exit_code == 30, resumed.printed[-4000:]
    assert "skipping global_step_40" in (resumed.folder / "attempt-2" / "job.log").read_text()
    assert min(read_attempt(resumed.folder / "attempt-2" / "metrics.jsonl")) == HALF + 1


def test_what_is_loaded_is_bit_equal_to_what_was_saved(resumed: Any, trainer_python: Path) -> None:
    saved = resumed.folder / "checkpoints" / f"global_step_{HALF}"
    done = subprocess.run(
        [str(trainer_python), str(HERE / "compare_states.py"), str(saved), str(resumed.reloaded)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    compared = json.loads(done.stdout.rpartition("COMPARED ")[2])
    assert compared["different"] == []
    assert compared["tensors"] > 50, "weights and both moments of Adam"
    assert {"model", "optim", "lr_scheduler", "data"} <= set(compared["parts"])


def test_the_next_steps_are_those_of_a_run_that_was_never_interrupted(resumed: Any) -> None:
    first, second = (resumed.folder / f"attempt-{number}" for number in (1, 2))
    again = read_attempt(second / "metrics.jsonl")
    steps = list(range(HALF + 1, max(again) + 1))
    assert len(steps) >= 10
    rows = {
        attempt: [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
        for attempt, folder in ((1, first), (2, second))
    }
    assert [line for line in rows[1] if line["step"] in steps] == rows[2]
    before = read_attempt(first / "metrics.jsonl")
    differences = [again[s]["critic/score/mean"] - before[s]["critic/score/mean"] for s in steps]
    error = stdev(before[s]["critic/score/mean"] for s in steps) / math.sqrt(len(steps))
    assert abs(mean(differences)) <= 2 * error


def test_a_stop_saves_the_step_it_leaves_after(resumed: Any) -> None:
    last = max(read_attempt(resumed.folder / "attempt-2" / "metrics.jsonl"))
    checkpoints = {c.step: c.is_whole for c in list_checkpoints(resumed.folder / "checkpoints")}
    assert checkpoints[last]
    assert checkpoints[HALF], "the one it resumed from is kept"
    assert not (resumed.folder / "attempt-2" / "validation-0.parquet").exists(), "the base is measured once"
