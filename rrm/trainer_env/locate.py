"""Where the trainer's environment lies: a folder of the per-user cache, named by a digest of its recipe."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm.trainer_env.errors import TrainerEnvironmentError

MARKER: Final = "rrm-environment.json"
"""Written last; without it a folder is an interrupted build."""
PROFILES: Final = ("cpu", "cuda", "cpu-verl04", "cuda-verl04")
"""Accelerator and, unless it is the default one, engine; each has a folder of pins."""
_RECIPE: Final = ("locate.py", "build.py", "stand_ins.py")


@dataclass(frozen=True)
class Environment:
    """A virtual environment of one profile."""

    root: Path
    key: str

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where the packages lie."""
        return self.root / "lib" / "python3.11" / "site-packages"

    @property
    def marker(self) -> Path:
        """The file that says the environment is whole."""
        return self.root / MARKER


def cache_root() -> Path:
    """Return the per-user cache of this project."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "rrm"


def profile_folder(profile: str) -> Path:
    """Return the folder of a profile's pins in the checkout.

    Raises:
        TrainerEnvironmentError: there is no such profile, or this is not a checkout.
    """
    folder = Path(__file__).resolve().parents[2] / "trainer_image" / "profiles" / profile
    if not (folder / "requirements.txt").is_file():
        raise TrainerEnvironmentError(
            f"no pins at {folder / 'requirements.txt'}: the trainer's environment is made from a checkout of "
            f"this project, with one of the profiles {', '.join(PROFILES)}; found {profile!r}"
        )
    return folder


def needs_stand_ins(profile: str) -> bool:
    """Tell whether NVIDIA's libraries are left out of a profile's pins, so that stand-ins are compiled."""
    return profile.startswith("cpu")


def build_command(profile: str) -> str:
    """Return the command by which a person makes the environment of a profile.

    >>> build_command("cpu"), build_command("cpu-verl04")
    ('make trainer-env', 'python -m rrm.trainer_env --profile cpu-verl04')
    """
    return "make trainer-env" if profile == "cpu" else f"python -m rrm.trainer_env --profile {profile}"


def expected_environment(profile: str = "cpu") -> Environment:
    """Return where the environment of a profile belongs, whether or not it is there."""
    digest = hashlib.sha256((profile_folder(profile) / "requirements.txt").read_bytes())
    for name in _RECIPE:
        digest.update((Path(__file__).parent / name).read_bytes())
    key = f"{profile}-{digest.hexdigest()[:12]}"
    return Environment(cache_root() / "trainer-env" / key, key)


def count_distributions(environment: Environment) -> int:
    """Return the number of installed distributions."""
    return sum(1 for _ in environment.site_packages.glob("*.dist-info"))


def is_whole(environment: Environment) -> bool:
    """Tell whether the build ended and nothing was removed since."""
    if not environment.marker.is_file() or not os.access(environment.python, os.X_OK):
        return False
    marker = json.loads(environment.marker.read_text())
    return bool(
        marker["key"] == environment.key and marker["distributions"] == count_distributions(environment)
    )


def find_environment(profile: str = "cpu") -> Environment:
    """Return the whole environment of a profile.

    Raises:
        TrainerEnvironmentError: it was not made yet, or is not whole; names the command that makes it.
    """
    environment = expected_environment(profile)
    if not is_whole(environment):
        raise TrainerEnvironmentError(
            f"the trainer's environment is not at {environment.root}: make it with `{build_command(profile)}`"
        )
    return environment
