"""Where a command that needs verl goes on: here, in the environment of the wanted engine, or nowhere."""

import os
from pathlib import Path
from typing import Any

import pytest

from rrm.cli import heavy
from rrm.errors import InvalidSpec
from rrm.train.engine import Engine
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import Environment
from rrm_api.spec_pods import Accelerator


class Replaced(Exception):
    """In place of `execve`: which command, with which variables."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        super().__init__(command)
        self.command, self.environment = command, environment


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says which engine is installed here; environments are folders named after their profile."""

    def replace(path: str, command: list[str], environment: dict[str, str]) -> None:
        raise Replaced(command, environment)

    monkeypatch.delenv(heavy.ENGINE_VARIABLE, raising=False)
    monkeypatch.setattr(os, "execve", replace)
    monkeypatch.setattr(
        heavy, "find_environment", lambda profile: Environment(Path("/cache") / profile, "key")
    )
    return lambda engine: monkeypatch.setattr(heavy, "installed_engine", lambda: engine)


@pytest.mark.parametrize("engine", Engine)
def test_a_command_goes_on_here_if_nobody_asks_for_another_engine(here: Any, engine: Engine) -> None:
    here(engine)
    heavy.needs_trainer(Accelerator.CPU, ["run"])


@pytest.mark.parametrize(
    ("installed", "variable", "option", "accelerator", "profile"),
    [
        pytest.param(None, None, None, Accelerator.CPU, "cpu", id="light"),
        pytest.param(None, None, None, Accelerator.NVIDIA, "cuda", id="light, GPU"),
        pytest.param(None, "0.4.0", None, Accelerator.CPU, "cpu-verl04", id="by variable"),
        pytest.param(None, "0.4.0", "0.9.1", Accelerator.CPU, "cpu", id="the option wins"),
        pytest.param(Engine.VERL_09, None, "0.4.0", Accelerator.NVIDIA, "cuda-verl04", id="from the other"),
    ],
)
def test_else_it_goes_on_in_the_environment_of_the_engine(
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
    installed: Engine | None,
    variable: str | None,
    option: str | None,
    accelerator: Accelerator,
    profile: str,
) -> None:
    here(installed)
    if variable:
        monkeypatch.setenv(heavy.ENGINE_VARIABLE, variable)
    with pytest.raises(Replaced) as replaced:
        heavy.needs_trainer(accelerator, ["run", "x.yaml"], engine=option)
    assert replaced.value.command == [f"/cache/{profile}/bin/python", "-m", "rrm.cli", "run", "x.yaml"]
    wanted = option or variable or "0.9.1"
    assert replaced.value.environment[heavy.ENGINE_VARIABLE] == wanted
    assert replaced.value.environment["PYTHONPATH"]


def test_a_missing_environment_names_the_engine_and_the_command(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_there(profile: str) -> Environment:
        raise TrainerEnvironmentError(f"the trainer's environment is not at /cache/{profile}: make it")

    here(None)
    monkeypatch.setattr(heavy, "find_environment", none_there)
    with pytest.raises(InvalidSpec, match=r"verl 0\.4\.0 is not installed here, and .*/cache/cpu-verl04"):
        heavy.needs_trainer(Accelerator.CPU, ["run"], engine="0.4.0")


def test_an_unknown_engine_is_refused(here: Any) -> None:
    here(None)
    with pytest.raises(InvalidSpec, match=r"found verl 0\.5"):
        heavy.needs_trainer(Accelerator.CPU, ["run"], engine="0.5")
