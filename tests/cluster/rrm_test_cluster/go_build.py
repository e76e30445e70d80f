"""Run one ``go build`` and tell how far it is."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from rrm_test_cluster.errors import CommandFailed

_SECONDS_BETWEEN_LINES = 15.0


def run_go_build(
    *, module: Path, packages: list[str], linker_flags: str, output: Path, say: Callable[[str], None]
) -> None:
    """Build the packages of a Go module, static and without this machine's paths inside.

    Raises:
        CommandFailed: The build failed; carries the compiler's words.
    """
    started = time.monotonic()
    environment = {**os.environ, "CGO_ENABLED": "0"}
    say(f"{module.name}: fetching and counting the sources")
    total = _count_packages(module, packages, environment)
    # -mod=readonly: a build that would change go.sum is an unpinned build.
    command = ["go", "build", "-v", "-mod=readonly", "-trimpath", "-ldflags", linker_flags, "-o", str(output)]
    compiled, words, told = 0, [""], started
    with subprocess.Popen(
        command + packages, cwd=module, env=environment, stderr=subprocess.PIPE, text=True
    ) as build:
        for line in build.stderr or ():
            # With -v a compiled package prints its path; anything else is worth keeping for the error.
            compiled, words = compiled + 1, [*words[-40:], line]
            if time.monotonic() - told > _SECONDS_BETWEEN_LINES:
                told = time.monotonic()
                say(f"{module.name}: {compiled} of at most {total} packages, {told - started:.0f} s")
    if build.returncode != 0:
        raise CommandFailed(command + packages, build.returncode, "", "".join(words))
    say(f"{module.name}: built in {time.monotonic() - started:.0f} s")


def _count_packages(module: Path, packages: list[str], environment: dict[str, str]) -> int:
    command = ["go", "list", "-mod=readonly", "-deps", *packages]
    done = subprocess.run(command, cwd=module, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(command, done.returncode, "", done.stderr)
    return len(done.stdout.splitlines())
