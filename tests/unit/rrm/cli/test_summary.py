"""The closing table, from files on the volume alone: a training that was made up, file by file."""

import json
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from rrm.cli.summary import render_summary
from rrm.errors import VolumeUnavailable
from rrm.presets import resolve
from rrm.report.result import read_summary, verdict_of
from rrm.train.answers import SCHEMA, write_answers
from rrm.train.attempt import Attempt, write_json
from rrm.train.validations import add_validation
from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.status import DataStatus, Metric
from rrm_api.v1alpha1 import parse_training

EXAMPLE = Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml"
ROWS = 40
ANSWER = {"label": 0.0, "prediction": 0.0, "parse_ok": True, "truncated": False, "strength": 1.0}


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    document = yaml.safe_load(EXAMPLE.read_text())
    document["metadata"] |= {"namespace": "team", "uid": "1"}
    intent = intent_of(parse_training(document))
    prepared = Prepared(
        data=DataStatus(train=254, validation=ROWS, digest="d"),
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset=resolve(intent).preset,
        floors=[Metric(name="constant-2", value="0.6")],
    )
    run = RunFile(intent=intent, prepared=prepared)
    made = Attempt(run=run, volume=tmp_path, claims=tmp_path, number=2)
    made.folder.mkdir(parents=True)
    made.layout.data.mkdir()
    write_json(made.run_copy, run.manifest())
    report = {"floors": {"constant-2": {"shares": [0, 0, 1, 0, 0], "reward": 0.6}}}
    (made.layout.data / "data.json").write_text(json.dumps(report))
    return made


def validated(attempt: Attempt, step: int, *, reward: float, number: int, first_row: int = 0) -> None:
    """Write answers that all earn the same; every label is 0, so that constant-2 earns exp(-1)."""
    said = {name: None for name in SCHEMA.names} | ANSWER | {"reward": reward, "answer": "x"}
    rows = [{**said, "row_id": f"r{first_row + i}", "prompt_group": f"g{i // 2}"} for i in range(ROWS)]
    folder = attempt.layout.attempt(number)
    folder.mkdir(exist_ok=True)
    write_answers(folder / f"validation-{step}.parquet", rows)
    add_validation(attempt.validations, step, {"reward": reward, "exact": 0.25})


def checkpoint(attempt: Attempt, step: int) -> None:
    actor = attempt.layout.checkpoints / f"global_step_{step}" / "actor"
    actor.mkdir(parents=True)
    for part in ("model", "optim", "extra_state"):
        (actor / f"{part}_world_size_1_rank_0.pt").write_bytes(b"x")
    (actor.parent / "data.pt").write_bytes(b"x")
    (attempt.layout.checkpoints / "latest_checkpointed_iteration.txt").write_text(str(step))


def shown(folder: Path, width: int = 200) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))
    console.print(render_summary(folder))
    return console.export_text()


def test_floors_base_and_best_stand_beside_each_other_with_the_verdict(attempt: Attempt) -> None:
    validated(attempt, 0, reward=0.3, number=1)
    validated(attempt, 12, reward=0.9, number=1)
    validated(attempt, 24, reward=0.8, number=2)
    for step in (12, 24):
        checkpoint(attempt, step)
    text = shown(attempt.layout.root)
    assert "trained, step 12" in text, "the best, not the last"
    assert "floor constant-2" in text
    assert "0.300" in text
    assert "0.900" in text
    assert "lift over constant-2: +0.532" in " ".join(text.split())
    assert "LEARNING (above the best constant)" in " ".join(text.split())
    assert "12, 24 in" in text
    assert f"job log            {attempt.job_log}\n" in text, "paths are whole, for copying"
    assert "…" not in shown(attempt.layout.root, width=80), "nor is anything cut in a narrow log"


def test_the_newest_attempts_answers_count_for_a_step(attempt: Attempt) -> None:
    validated(attempt, 0, reward=0.3, number=1)
    validated(attempt, 24, reward=0.9, number=1)
    validated(attempt, 24, reward=0.5, number=2)
    checkpoint(attempt, 24)
    lift = read_summary(attempt.layout.root).lift
    assert lift is not None
    assert lift.value == pytest.approx(0.5 - 0.36788, abs=1e-4)


def test_what_was_not_validated_is_said_to_be_so(attempt: Attempt) -> None:
    summary = read_summary(attempt.layout.root)
    assert (summary.lift, summary.best_step, summary.whole) == (None, None, ())
    assert "not measured" in verdict_of(summary.lift)


def test_base_and_checkpoint_on_different_rows_have_no_lift(attempt: Attempt) -> None:
    validated(attempt, 0, reward=0.3, number=1)
    validated(attempt, 24, reward=0.9, number=2, first_row=1)
    checkpoint(attempt, 24)
    summary = read_summary(attempt.layout.root)
    assert summary.lift is None
    assert "not on the same rows" in verdict_of(summary.lift)


def test_a_folder_without_attempts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VolumeUnavailable, match="with attempts"):
        read_summary(tmp_path / "nothing")
