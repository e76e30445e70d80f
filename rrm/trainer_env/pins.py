"""`python -m rrm.trainer_env.pins`: resolve the pins of every profile again, for a person to review."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from rrm.trainer_env.locate import PROFILES, profile_folder

PLATFORM: Final = "x86_64-manylinux_2_28"
"""Debian 12 is newer than that."""
log = logging.getLogger("rrm.trainer_env")


def resolve_pins(folder: Path) -> None:
    """Write `requirements.txt` from `requirements.in` and `overrides.txt`; it names no index."""
    command = [
        os.environ.get("UV", "uv"),
        "pip",
        "compile",
        "--quiet",
        "--upgrade",
        "--python-version",
        "3.11",
    ]
    command += ["--python-platform", PLATFORM, "--no-header", "--no-annotate"]
    command += ["--overrides", "overrides.txt", "requirements.in", "--output-file", "requirements.txt"]
    subprocess.run(command, check=True, cwd=folder)


def main() -> int:
    """Resolve all profiles; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for profile in PROFILES:
        folder = profile_folder(profile)
        resolve_pins(folder)
        lines = (folder / "requirements.txt").read_text().splitlines()
        log.info("%s: %d pins", profile, len(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
