"""What the heavy child refuses before Ray is started: exit code and words, by the real verl's checks."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rrm.data.written import TRAIN_FILE, VALIDATION_FILE, digest_of_rows
from rrm.intent_file import read_intent
from rrm.train.attempt import Attempt, write_json
from rrm.train.parent import child_command
from rrm_api.run import Prepared, RunFile
from rrm_api.status import DataStatus

pytestmark = pytest.mark.verl


@pytest.fixture
def attempt(example: Path, tmp_path: Path) -> Attempt:
    data = tmp_path / "volume" / "tiny-judge" / "data"
    data.mkdir(parents=True)
    for name in (TRAIN_FILE, VALIDATION_FILE):
        (data / name).touch()
    prepared = Prepared(
        data=DataStatus(train=254, validation=64, digest=digest_of_rows(data)),
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset="pointwise-v1",
        floors=[],
    )
    run = RunFile(intent=read_intent(example), prepared=prepared)
    model = tmp_path / "claims" / "demo" / "model"
    model.mkdir(parents=True)
    (model / "config.json").touch()
    return Attempt(run=run, volume=tmp_path / "volume", claims=tmp_path / "claims", number=1)


def ending_of(attempt: Attempt, python: Path, environment: dict[str, str]) -> dict[str, object]:
    """Run the real child, check that it left with the code it wrote down, and return what it wrote."""
    attempt.folder.mkdir(parents=True)
    write_json(attempt.run_copy, attempt.run.manifest())
    command = child_command(attempt, ray_address=None, ray_temp=None)
    command[command.index(sys.executable)] = str(python)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert attempt.ending.is_file(), done.stderr[-2000:]
    ending: dict[str, object] = json.loads(attempt.ending.read_text())
    assert done.returncode == ending["exit_code"]
    return ending


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        pytest.param({"trainer.no_such_key": "1"}, "no_such_key", id="a key that verl has not"),
        pytest.param(
            {"data.train_batch_size": "4"}, "train_batch_size", id="numbers that verl's check refuses"
        ),
    ],
)
def test_a_configuration_that_verl_refuses_ends_with_11_and_verls_words(
    attempt: Attempt,
    overrides: dict[str, str],
    words: str,
    trainer_python: Path,
    trainer_environment: dict[str, str],
) -> None:
    training = attempt.run.intent.training.model_copy(update={"overrides": overrides})
    intent = attempt.run.intent.model_copy(update={"training": training})
    run = attempt.run.model_copy(update={"intent": intent})
    ending = ending_of(replace(attempt, run=run), trainer_python, trainer_environment)
    assert (ending["exit_code"], ending["reason"]) == (11, "InvalidSpec")
    assert words in str(ending["message"])


def test_weights_that_are_not_there_end_with_12(
    attempt: Attempt, trainer_python: Path, trainer_environment: dict[str, str]
) -> None:
    (attempt.claims / "demo" / "model" / "config.json").unlink()
    ending = ending_of(attempt, trainer_python, trainer_environment)
    assert (ending["exit_code"], ending["reason"]) == (12, "ModelUnavailable")
