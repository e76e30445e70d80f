"""`rrm run` before anything heavy starts: what is missing is said, with the command that brings it."""

import importlib.util
import os
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rrm.cli import heavy, main
from rrm.cli.run import with_steps
from rrm.cli.training_screen import TrainingScreen, numbers_of
from rrm.intent_file import read_intent
from rrm.trainer_env.locate import Environment
from rrm_api.conditions import Reason
from rrm_api.run import Finding, Phase, Progress
from rrm_api.spec_pods import Accelerator
from rrm_api.status import Metric

EXAMPLE = Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml"
LIGHT = importlib.util.find_spec("verl") is None


def test_without_the_trainers_environment_it_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert LIGHT, "these tests run in the light environment"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["run", str(EXAMPLE)]) == 11
    assert "make trainer-env" in capsys.readouterr().err


def test_with_it_the_same_command_goes_on_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(heavy, "find_environment", lambda _: Environment(tmp_path, "key"))
    monkeypatch.setattr(os, "execve", lambda *call: calls.append(call))
    monkeypatch.setattr(sys, "argv", ["rrm", "run", "training.yaml", "--steps", "3"])
    heavy.needs_trainer(Accelerator.CPU)
    path, command, environ = calls[0]
    assert path == str(tmp_path / "bin" / "python")
    assert command[1:] == ["-m", "rrm.cli", "run", "training.yaml", "--steps", "3"]
    assert str(EXAMPLE.parents[2]) in environ["PYTHONPATH"].split(os.pathsep)


def test_a_missing_claim_names_the_command_that_fills_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rrm.cli.run.needs_trainer", lambda *_, **__: None)
    code = main(["run", str(EXAMPLE), "--claims", str(tmp_path), "--volume", str(tmp_path / "runs")])
    assert code == 11
    assert "make demo-data" in capsys.readouterr().err


def test_steps_given_by_hand_replace_the_specs() -> None:
    intent = read_intent(EXAMPLE)
    assert with_steps(intent, None) == intent
    assert with_steps(intent, 60).training.max_steps == 60
    assert with_steps(intent, 60).training.epochs is None


def test_numbers_that_are_not_there_yet_are_left_out_of_the_line() -> None:
    progress = Progress(attempt=1, phase=Phase.ROLLOUT, step=0, total_steps=24, time="2026-01-01T00:00:00Z")
    assert numbers_of(progress) == ""
    later = progress.model_copy(
        update={
            "reward": 0.51,
            "validation": [Metric(name="reward", value="0.6")],
            "seconds_per_step": 9.0,
            "eta_seconds": 65,
        }
    )
    assert numbers_of(later) == "reward 0.510, validation 0.600, 9.0 s/step, ends in 1:05"


def test_what_is_newly_unhealthy_is_said_once_until_it_is_well_again() -> None:
    screen_console = Console(file=StringIO(), width=200)
    screen = TrainingScreen(screen_console, total_steps=24)
    finding = Finding(reason=Reason.PARSE_RATE_LOW, step=3, message="since step 3: 40 % can be read")
    for findings in ([finding], [finding], [], [finding]):
        screen.on_progress(
            Progress(
                attempt=1,
                phase=Phase.ROLLOUT,
                step=5,
                total_steps=24,
                findings=findings,
                time="2026-01-01T00:00:00Z",
            )
        )
    printed = screen_console.file.getvalue()  # type: ignore[attr-defined]
    assert printed.count("ParseRateLow: since step 3: 40 % can be read") == 2
