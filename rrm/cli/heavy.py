"""Going on in the trainer's environment where this one has no verl, or another one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rrm.errors import InvalidSpec
from rrm.train.engine import DEFAULT, engine_of, installed_engine, profile_of
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment
from rrm_api.spec_pods import Accelerator

ENGINE_VARIABLE: Final = "RRM_ENGINE"
"""Environment variable: the version of verl to train with; absent = the default one."""


def needs_trainer(
    accelerator: Accelerator, argv: Sequence[str] | None = None, *, engine: str | None = None
) -> None:
    """Return if the wanted verl is here; else replace this process by the same command in its environment.

    Args:
        accelerator: What is trained on.
        argv: The command's arguments; default: this process's.
        engine: Version of verl; default: that of `RRM_ENGINE`, else the one that is here, else the newest.

    Raises:
        InvalidSpec: there is no such environment, or no such engine; names the command that makes it.
    """
    asked = engine or os.environ.get(ENGINE_VARIABLE)
    here = installed_engine()
    wanted = engine_of(asked) if asked else here or DEFAULT
    if here is wanted:
        return
    try:
        environment = find_environment(profile_of(accelerator, wanted))
    except TrainerEnvironmentError as error:
        raise InvalidSpec(f"verl {wanted} is not installed here, and {error}") from error
    command = [str(environment.python), "-m", "rrm.cli", *(sys.argv[1:] if argv is None else argv)]
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": code_path(), ENGINE_VARIABLE: wanted.value})


def code_path() -> str:
    """Return the search path that brings our own code into an environment that has none of it."""
    import rrm
    import rrm_api

    own = [str(Path(str(module.__file__)).parents[1]) for module in (rrm, rrm_api)]
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([*own, *filter(None, inherited)]))
