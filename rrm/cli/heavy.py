"""Going on in the trainer's environment where this one has no verl."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rrm.errors import InvalidSpec
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment
from rrm_api.spec_pods import Accelerator


def needs_trainer(accelerator: Accelerator, argv: Sequence[str] | None = None) -> None:
    """Return if verl is here; else replace this process by the same command in the trainer's environment.

    Raises:
        InvalidSpec: there is no such environment; names the command that makes it.
    """
    if importlib.util.find_spec("verl") is not None:
        return
    profile = "cpu" if accelerator is Accelerator.CPU else "cuda"
    try:
        environment = find_environment(profile)
    except TrainerEnvironmentError as error:
        raise InvalidSpec(f"verl is not installed here, and {error}") from error
    command = [str(environment.python), "-m", "rrm.cli", *(sys.argv[1:] if argv is None else argv)]
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": code_path()})


def code_path() -> str:
    """Return the search path that brings our own code into an environment that has none of it."""
    import rrm
    import rrm_api

    own = [str(Path(str(module.__file__)).parents[1]) for module in (rrm, rrm_api)]
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([*own, *filter(None, inherited)]))
