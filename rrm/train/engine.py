"""Which version of verl does the work: the one that is installed where a training runs decides."""

import importlib.metadata
from enum import StrEnum
from typing import Final

from rrm.errors import InvalidSpec
from rrm_api.spec_pods import Accelerator


class Engine(StrEnum):
    """A version of verl whose words and extension points we know."""

    VERL_09 = "0.9.1"
    VERL_04 = "0.4.0"


DEFAULT: Final = Engine.VERL_09


def installed_engine() -> Engine | None:
    """Return the engine that is installed here; None if there is no verl.

    Raises:
        InvalidSpec: another version of verl is installed.
    """
    try:
        version = importlib.metadata.version("verl")
    except importlib.metadata.PackageNotFoundError:
        return None
    return engine_of(version)


def engine_of(version: str) -> Engine:
    """Return the engine of a version.

    Raises:
        InvalidSpec: nothing here speaks to that version.

    >>> engine_of("0.4.0")
    <Engine.VERL_04: '0.4.0'>
    """
    try:
        return Engine(version)
    except ValueError as error:
        known = " or ".join(Engine)
        raise InvalidSpec(
            f"the trainer's environment: expected verl {known}, found verl {version}; use one of our images, "
            "or make the environment with `make trainer-env`"
        ) from error


def profile_of(accelerator: Accelerator, engine: Engine) -> str:
    """Return the profile of the trainer's environment that holds an engine for an accelerator.

    >>> profile_of(Accelerator.CPU, Engine.VERL_09), profile_of(Accelerator.NVIDIA, Engine.VERL_04)
    ('cpu', 'cuda-verl04')
    """
    base = "cpu" if accelerator is Accelerator.CPU else "cuda"
    return base if engine is Engine.VERL_09 else f"{base}-verl04"
