"""The real verl, end to end on a CPU: learning, agreement, checkpoints, export, and going on after a stop."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
import pytest

from rrm.reasoning import RULES
from rrm.scales import Scale
from rrm.templates.verdict import Verdict, parse_verdict
from rrm.train.answers import read_answers
from rrm.train.checkpoints import list_checkpoints
from rrm.train.validations import read_validations
from rrm_api.run import Progress

pytestmark = pytest.mark.verl
EVALUATED = [0, 6, 12]
HERE = Path(__file__).parent


def metrics_of(attempt: Path) -> dict[int, dict[str, Any]]:
    lines = [json.loads(line) for line in (attempt / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["data"] for line in lines}


def test_it_goes_to_the_end_and_says_what_came_of_it(trained: Any) -> None:
    assert trained.exit_code == 0, trained.printed[-4000:]
    for text in ("floor constant-", "untrained", f"trained, step {trained.steps}", "lift over", "total time"):
        assert text in trained.printed


def test_all_sample_rows_are_read_and_those_that_fit_are_used(trained: Any) -> None:
    report = json.loads((trained.folder / "data" / "data.json").read_text())
    assert report["prepared"]["readRows"] == 503
    parts = report["parts"].values()
    fit = [
        sum(source["read"] for source in part["sources"]) - part["dropped"]["prompt too long"]["rows"]
        for part in parts
    ]
    assert fit == [254, 228]
    assert [part["rows"] for part in parts] == [252, 64], "two prompts are also in validation"


def test_rollout_and_actor_agree_at_every_step(trained: Any) -> None:
    metrics = metrics_of(trained.folder / "attempt-1")
    trained_steps = [step for step in metrics if step > 0]
    assert trained_steps == list(range(1, trained.steps + 1))
    worst = max(metrics[step]["training/rollout_probs_diff_max"] for step in trained_steps)
    assert worst < 1e-4
    log = (trained.folder / "attempt-1" / "job.log").read_text()
    assert log.count("training/rollout_probs_diff_max:") >= trained.steps


def test_it_begins_to_learn_and_its_answers_can_be_read(trained: Any) -> None:
    validations = read_validations(trained.folder / "validations.json")
    assert sorted(validations) == EVALUATED
    assert validations[trained.steps]["reward"] - validations[0]["reward"] >= 0.03
    assert validations[trained.steps]["parse_rate"] >= 0.85


def test_every_validation_answered_the_same_rows_four_times(trained: Any) -> None:
    rows = {}
    for step in EVALUATED:
        answers = read_answers(trained.folder / "attempt-1" / f"validation-{step}.parquet")
        rows[step] = sorted(answer.row_id for answer in answers)
        assert len(rows[step]) == 4 * 64
    assert all(ids == rows[0] for ids in rows.values())


def test_a_whole_checkpoint_is_kept(trained: Any) -> None:
    found = [(c.step, c.is_whole) for c in list_checkpoints(trained.folder / "checkpoints")]
    assert found == [(trained.steps, True)]


def test_our_hooks_cost_little(trained: Any) -> None:
    metrics = metrics_of(trained.folder / "attempt-1")
    shares = [metrics[step]["rrm/hook_seconds_share"] for step in range(1, trained.steps + 1)]
    assert median(shares) <= 0.02


def test_progress_on_the_volume_goes_to_the_last_step(trained: Any) -> None:
    lines = (trained.folder / "attempt-1" / "progress.jsonl").read_text().splitlines()
    last = Progress.model_validate_json(lines[-1])
    assert (last.phase, last.step, last.total_steps) == ("Finished", trained.steps, trained.steps)
    assert last.checkpoints.latest_path == f"tiny-judge/checkpoints/global_step_{trained.steps}"
    assert last.lift is not None


def test_the_exported_judge_loads_with_transformers_and_answers_in_its_format(
    trained: Any, trainer_python: Path
) -> None:
    folder = trained.folder / "export"
    assert "## Validation" in (folder / "README.md").read_text()
    rows = trained.folder / "data" / "validation.parquet"
    done = subprocess.run(
        [str(trainer_python), str(HERE / "ask_judge.py"), str(folder), str(rows)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = json.loads(done.stdout.rpartition("ANSWERS ")[2])
    assert len(answers) == pq.read_metadata(rows).num_rows
    read = [parse_verdict(answer, Scale(0, 4), RULES["None"]) for answer in answers]
    assert sum(isinstance(verdict, Verdict) for verdict in read) >= 0.85 * len(read), answers[:5]


def when(holds: Callable[[], bool], then: Callable[[], object], *, patience_seconds: float = 1200) -> None:
    """Do something as soon as something holds, in a thread of its own."""

    def watch() -> None:
        deadline = time.monotonic() + patience_seconds
        while not holds():
            if time.monotonic() > deadline:
                return
            time.sleep(0.2)
        then()

    threading.Thread(target=watch, daemon=True).start()


def test_a_longer_run_goes_on_from_the_last_checkpoint_and_saves_when_it_is_stopped(
    trained: Any, tmp_path: Path, rrm_command: Callable[..., Any], example: Path
) -> None:
    shutil.copytree(trained.volume, tmp_path / "runs")
    folder = tmp_path / "runs" / "tiny-judge"
    metrics = folder / "attempt-2" / "metrics.jsonl"
    when(lambda: metrics.is_file() and metrics.read_text().count("\n") >= 1, (folder / "stop-2").touch)

    done = rrm_command(
        "run", example, "--volume", tmp_path / "runs", "--claims", trained.claims, "--steps", "60"
    )

    assert done.returncode == 30, done.stdout[-4000:]
    steps = sorted(metrics_of(folder / "attempt-2"))
    assert steps[0] == trained.steps + 1, "it went on after the last checkpoint"
    checkpoints = list_checkpoints(folder / "checkpoints")
    assert (checkpoints[-1].step, checkpoints[-1].is_whole) == (steps[-1], True)
    assert trained.steps in [c.step for c in checkpoints], "the one it resumed from is kept"
    assert not (folder / "attempt-2" / "validation-0.parquet").exists(), "the base is measured once"
