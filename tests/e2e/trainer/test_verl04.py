"""verl 0.4.0, for real on a CPU: its pieces, the demo in short, a stop and a resume, and learning."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rrm.cli.heavy import ENGINE_VARIABLE, code_path
from rrm.tiny_model.both_engines import let_both_read
from rrm.train.answers import read_answers
from rrm.train.checkpoints import TRACKER, list_checkpoints
from rrm.train.engine import Engine, profile_of
from rrm.train.environment import CPU
from rrm.train.validations import read_validations
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment
from rrm_api.run import Progress
from rrm_api.spec_pods import Accelerator

pytestmark = pytest.mark.verl
HERE = Path(__file__).parent
STEPS = 3
CHANGES = {
    "everySteps: 12": f"everySteps: {STEPS}",
    "evaluateEverySteps: 6": f"evaluateEverySteps: {STEPS}",
    'klCoefficient: "0"': 'klCoefficient: "0.001"',  # with a reference model beside the trained one
}
"""What differs from the demo's training."""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of verl 0.4.0's environment."""
    try:
        return find_environment(profile_of(Accelerator.CPU, Engine.VERL_04)).python
    except TrainerEnvironmentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", autouse=True)
def older_engine(python: Path) -> Any:
    """`rrm` of this file trains with verl 0.4.0."""
    before = os.environ.get(ENGINE_VARIABLE)
    os.environ[ENGINE_VARIABLE] = Engine.VERL_04.value
    yield
    os.environ.pop(ENGINE_VARIABLE)
    if before is not None:
        os.environ[ENGINE_VARIABLE] = before


def run(python: Path, script: str, *arguments: object, **variables: str) -> str:
    """Run one of this folder's scripts in the environment; returns what it printed."""
    done = subprocess.run(
        [str(python), str(HERE / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **variables, "PYTHONPATH": code_path()},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# Its pieces, in one process without Ray.


@pytest.fixture(scope="module")
def facts(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    work = tmp_path_factory.mktemp("probe")
    printed = run(python, "probe_verl04.py", work, **CPU)
    found: dict[str, Any] = json.loads(printed.rpartition("FACTS ")[2])
    return found


def test_what_verl_takes_for_granted_is_answered(facts: dict[str, Any]) -> None:
    assert facts["shims"] == {
        "autocast": "torch.float32",
        "all_reduce": [1.0, 1.0],
        "attention": "sdpa",
        "device": "cpu",
        "pins": False,
        "memory": True,
    }


def test_a_row_is_padded_on_the_left_and_one_that_does_not_fit_is_named(facts: dict[str, Any]) -> None:
    row = facts["dataset"]
    assert row["input_ids"] == [0, 0, 2, 3, 4, 5]
    assert row["attention_mask"] == [0, 0, 1, 1, 1, 1]
    assert row["position_ids"] == [0, 0, 0, 1, 2, 3]
    assert (row["raw"], row["label"]) == ([2, 3, 4, 5], 3.0)
    assert row["refusal"].startswith("row r: the prompt has 4 tokens, at most 3")


def test_answers_follow_the_seed_and_neither_padding_nor_the_size_of_pieces(facts: dict[str, Any]) -> None:
    assert facts["rollout"] == {
        "count": 10,
        "same seed": True,
        "other seed": False,
        "own numbers untouched": True,
        "padding is not seen": True,
    }


def test_the_shards_of_two_ranks_are_merged_to_the_very_weights(facts: dict[str, Any]) -> None:
    assert (facts["merging"]["equal"], facts["merging"]["names"]) == (True, True)
    assert "expected the shards of all ranks" in facts["merging"]["refusal"]


# The demo's training, its first steps.


@dataclass(frozen=True)
class Run:
    """A finished `rrm run`: where it lies and what it printed."""

    folder: Path
    claims: Path
    training: Path
    exit_code: int
    printed: str
    seconds: float


def start(
    rrm: Callable[..., Any], training: Path, *, claims: Path, volume: Path, name: str, steps: int
) -> Run:
    begin = time.monotonic()
    done = rrm("run", training, "--volume", volume, "--claims", claims, "--steps", str(steps))
    seconds = time.monotonic() - begin
    return Run(volume / name, claims, training, done.returncode, done.stdout, seconds)


@pytest.fixture(scope="module")
def trained04(
    claims: Path, example: Path, rrm_command: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Three steps of the demo's training: about 75 seconds on two quiet cores."""
    work = tmp_path_factory.mktemp("verl04")
    shutil.copytree(claims, work / "claims")
    let_both_read(work / "claims" / "demo" / "model")
    training = work / "training.yaml"
    text = example.read_text()
    for ours, theirs in CHANGES.items():
        assert ours in text
        text = text.replace(ours, theirs)
    training.write_text(text)
    run = start(
        rrm_command,
        training,
        claims=work / "claims",
        volume=work / "runs",
        name="tiny-judge",
        steps=STEPS,
    )
    assert run.exit_code == 0, run.printed[-4000:]
    return run


def metrics_of(attempt: Path) -> dict[int, dict[str, Any]]:
    lines = [json.loads(line) for line in (attempt / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["data"] for line in lines}


def test_it_leaves_the_same_files_as_the_newer_engine(trained04: Run) -> None:
    attempt = trained04.folder / "attempt-1"
    metrics = metrics_of(attempt)
    assert sorted(metrics) == list(range(STEPS + 1))
    for name in (
        "critic/score/mean",
        "timing_s/step",
        "rrm/parse_ok",
        "rrm/truncated",
        "rrm/entropy",
        "actor/kl_loss",
    ):
        assert all(name in metrics[step] for step in range(1, STEPS + 1)), name
    rows = [json.loads(line) for line in (attempt / "rows.jsonl").read_text().splitlines()]
    assert [(line["step"], len(line["rows"])) for line in rows] == [(step, 8) for step in (1, 2, 3)]
    assert sorted(read_validations(trained04.folder / "validations.json")) == [0, STEPS]
    last = Progress.model_validate_json((attempt / "progress.jsonl").read_text().splitlines()[-1])
    assert (last.phase, last.step) == ("Finished", STEPS)
    assert last.checkpoints.latest_path == f"tiny-judge/checkpoints/global_step_{STEPS}"


def test_each_validation_row_was_answered_four_times(trained04: Run) -> None:
    ids = [
        sorted(
            answer.row_id
            for answer in read_answers(trained04.folder / "attempt-1" / f"validation-{n}.parquet")
        )
        for n in (0, STEPS)
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4 * 64


def test_its_checkpoint_is_whole_and_our_hooks_cost_little(trained04: Run) -> None:
    found = [(c.step, c.is_whole) for c in list_checkpoints(trained04.folder / "checkpoints")]
    assert found == [(STEPS, True)]
    metrics = metrics_of(trained04.folder / "attempt-1")
    assert max(metrics[step]["rrm/hook_seconds_share"] for step in range(1, STEPS + 1)) <= 0.02


def test_the_exported_judge_answers_on_either_engines_transformers(
    trained04: Run, python: Path, trainer_python: Path
) -> None:
    rows = trained04.folder / "data" / "validation.parquet"
    for interpreter in (python, trainer_python):
        printed = run(interpreter, "ask_judge.py", trained04.folder / "export", rows)
        answers = json.loads(printed.rpartition("ANSWERS ")[2])
        assert len(answers) == pq.read_metadata(rows).num_rows
        assert sum("<score>" in answer for answer in answers) >= 0.85 * len(answers), answers[:5]


# Learning, and going on.


@pytest.fixture(scope="module")
def learnt(task: Path, rrm_command: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The task that the newer engine learns too, all 40 steps: about a minute on two quiet cores."""
    made = start(
        rrm_command,
        task / "sentiment.yaml",
        claims=task,
        volume=tmp_path_factory.mktemp("learnt04"),
        name="sentiment",
        steps=40,
    )
    assert made.exit_code == 0, made.printed[-4000:]
    return made


def test_it_learns_what_can_be_learnt(learnt: Run) -> None:
    validations = read_validations(learnt.folder / "validations.json")
    assert sorted(validations) == [0, 10, 20, 30, 40]
    assert validations[40]["reward"] - validations[0]["reward"] >= 0.15


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


def test_a_resumed_run_does_what_an_uninterrupted_one_did_and_saves_when_it_is_stopped(
    learnt: Run, tmp_path: Path, rrm_command: Callable[..., Any]
) -> None:
    shutil.copytree(learnt.folder.parent, tmp_path / "runs")
    folder = tmp_path / "runs" / "sentiment"
    shutil.rmtree(folder / "checkpoints" / "global_step_40")  # as if it had been lost after step 20
    (folder / "checkpoints" / TRACKER).write_text("20")
    metrics = folder / "attempt-2" / "metrics.jsonl"
    when(lambda: metrics.is_file() and metrics.read_text().count("\n") >= 2, (folder / "stop-2").touch)

    resumed = start(
        rrm_command,
        learnt.training,
        claims=learnt.claims,
        volume=tmp_path / "runs",
        name="sentiment",
        steps=40,
    )

    assert resumed.exit_code == 30, resumed.printed[-4000:]
    before, after = (metrics_of(folder / f"attempt-{number}") for number in (1, 2))
    assert list(after) == list(range(21, max(after) + 1)), "it went on after the checkpoint"
    for name in ("critic/score/mean", "actor/grad_norm"):
        assert [after[s][name] for s in after] == pytest.approx([before[s][name] for s in after], rel=1e-4)
    rows = [(folder / f"attempt-{number}" / "rows.jsonl").read_text().splitlines() for number in (1, 2)]
    assert rows[1] == rows[0][20 : max(after)]
    checkpoints = {c.step: c.is_whole for c in list_checkpoints(folder / "checkpoints")}
    assert checkpoints == {20: True, max(after): True}, "what it resumed from, and the step it left after"
    assert not (folder / "attempt-2" / "validation-0.parquet").exists(), "the base is measured once"
