"""Run one system command and fail with its words."""

import subprocess
from collections.abc import Sequence

from rrm_test_cluster.errors import CommandFailed


def run(*command: str, enter: Sequence[str] = (), seconds: float = 600) -> str:
    """Run a command, inside a namespace if `enter` says how, and return what it printed.

    Raises:
        CommandFailed: It ended with another code than 0.
    """
    words = [*enter, *command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode != 0:
        raise CommandFailed(words, done.returncode, done.stdout, done.stderr)
    return done.stdout
