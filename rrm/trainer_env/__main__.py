"""`python -m rrm.trainer_env [--profile NAME] [--into DIR]`: make the environment, print its path."""

import argparse
import logging
import shutil
import sys
from pathlib import Path

from rrm.trainer_env.build import build_environment
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import (
    PROFILES,
    Environment,
    expected_environment,
    find_environment,
    is_whole,
    needs_stand_ins,
)


def main() -> int:
    """Make, or with --check only look for, the environment; its path goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m rrm.trainer_env", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="cpu")
    parser.add_argument("--into", type=Path, help="folder to fill instead of the per-user cache")
    parser.add_argument("--check", action="store_true", help="only tell whether it is there and whole")
    arguments = parser.parse_args()
    if arguments.check and arguments.into:
        parser.error("--check looks into the per-user cache; it does not go with --into")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    try:
        environment = expected_environment(arguments.profile)
        if arguments.into:
            environment = Environment(arguments.into.resolve(), environment.key)
        if arguments.check:
            find_environment(arguments.profile)
        else:
            if needs_stand_ins(arguments.profile) and not is_whole(environment):
                require_compiler()
            build_environment(environment, arguments.profile)
    except TrainerEnvironmentError as error:
        sys.stderr.write(f"{error}\n")
        return 11
    sys.stdout.write(f"{environment.root}\n")
    return 0


def require_compiler() -> None:
    """Return if stand-ins can be compiled; here, as a change of `build.py` makes every environment anew.

    Raises:
        TrainerEnvironmentError: a tool is missing; nothing was installed yet.
    """
    missing = [tool for tool in ("gcc", "readelf") if shutil.which(tool) is None]
    if missing:
        raise TrainerEnvironmentError(
            f"the stand-ins of NVIDIA's libraries need {' and '.join(missing)} on PATH: install what is "
            "missing (Debian: apt-get install gcc libc6-dev)"
        )


if __name__ == "__main__":
    sys.exit(main())
