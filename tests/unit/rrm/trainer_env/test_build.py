"""Making an environment: the order of its steps, and what a failure leaves; uv and Python are played."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rrm.trainer_env import __main__ as command
from rrm.trainer_env import build, pins
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import PROFILES, Environment, expected_environment, is_whole


class Played:
    """Notes each command and does the little of it that the next steps look at; `fails` names one to fail."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fails = ""

    def __call__(self, command: list[str], **_: Any) -> Any:
        line = " ".join(command)
        self.said.append(line)
        if " venv " in line:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.write_text("#!/bin/sh\n")
            python.chmod(0o755)
            site = python.parents[1] / "lib" / "python3.11" / "site-packages" / "torch-1.dist-info"
            site.mkdir(parents=True)
        return subprocess.CompletedProcess(command, int(bool(self.fails) and self.fails in line))


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    """In place of uv, and of the environment's own Python."""
    play = Played()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("UV", "uv")
    monkeypatch.setattr(build, "PYTHON", sys.executable)
    monkeypatch.setattr(build.subprocess, "run", play)
    monkeypatch.setattr(build, "write_stand_ins", lambda site: play.said.append("stand-ins") or [])
    return play


@pytest.mark.parametrize("profile", PROFILES)
def test_an_environment_is_made_tried_and_marked_once(played: Played, profile: str) -> None:
    environment = expected_environment(profile)
    build.build_environment(environment, profile)
    assert is_whole(environment)
    steps = [line for line in played.said if "compileall" not in line]
    assert [" venv " in steps[0], "--no-deps" in steps[1]] == [True, True]
    assert ("stand-ins" in steps) == profile.startswith("cpu")
    assert ("import vllm" in steps[-1]) == (profile != "cpu-verl04"), "there it has no CPU build"
    before = len(played.said)
    build.build_environment(environment, profile)
    assert len(played.said) == before, "a whole one is left alone"


def test_a_failed_step_is_named_and_leaves_nothing_that_counts_as_whole(played: Played) -> None:
    played.fails = "pip install"
    environment = expected_environment("cpu")
    with pytest.raises(TrainerEnvironmentError, match=r"packages .* failed with exit code 1: uv pip install"):
        build.build_environment(environment, "cpu")
    assert not environment.root.exists()
    played.fails = ""
    assert is_whole(build.build_environment(environment, "cpu")), "the next try begins anew"


def test_byte_compiling_may_fail_as_some_packages_hold_code_for_other_pythons(played: Played) -> None:
    played.fails = "compileall"
    assert is_whole(build.build_environment(expected_environment("cpu"), "cpu"))


def test_without_uv_or_python_it_says_what_to_install(
    played: Played, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "env", "key")
    monkeypatch.setattr(build, "PYTHON", str(tmp_path / "python3.11"))
    with pytest.raises(TrainerEnvironmentError, match=r"install python3\.11"):
        build.build_environment(environment, "cpu")
    monkeypatch.delenv("UV")
    monkeypatch.setattr(build.shutil, "which", lambda _: None)
    with pytest.raises(TrainerEnvironmentError, match="pip install uv"):
        build.build_environment(environment, "cpu")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["rrm.trainer_env", *arguments])
    return command.main()


def test_the_command_prints_where_the_environment_is(
    played: Played, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command.shutil, "which", lambda tool: f"/usr/bin/{tool}")
    assert call(monkeypatch, "--profile", "cpu-verl04", "--check") == 11
    assert call(monkeypatch, "--profile", "cpu-verl04") == 0
    made = expected_environment("cpu-verl04").root
    assert capsys.readouterr().out == f"{made}\n"
    assert call(monkeypatch, "--profile", "cpu-verl04", "--check") == 0
    assert call(monkeypatch, "--into", str(tmp_path / "elsewhere")) == 0
    assert (tmp_path / "elsewhere" / "bin" / "python").exists()


def test_checking_another_folder_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        call(monkeypatch, "--check", "--into", "x")


def test_every_profile_is_resolved_without_naming_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(pins.subprocess, "run", lambda command, check, cwd: calls.append((command, cwd)))
    assert pins.main() == 0
    assert [folder.name for _, folder in calls] == list(PROFILES)
    assert all("--no-header" in command and "--index-url" not in command for command, _ in calls)
