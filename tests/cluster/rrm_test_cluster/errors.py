"""What can go wrong at the border to processes, packages and binaries; each error prints what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rrm_test_cluster.level import Level


class ClusterError(Exception):
    """The embedded cluster could not do what was asked."""


@dataclass
class Missing(ClusterError):
    """Something that a level needs is not on this machine.

    Attributes:
        level: The level that cannot run.
        what: Each missing thing, in words.
        remedy: What to do about it.
        still_runs: The levels that run without it.
    """

    level: Level
    what: tuple[str, ...]
    remedy: str
    still_runs: tuple[Level, ...] = ()

    def __str__(self) -> str:
        runs = ", ".join(self.still_runs) or "no level of the embedded cluster"
        return (
            f"level {self.level} cannot run here, missing: {'; '.join(self.what)}. "
            f"To do: {self.remedy}. What still runs: {runs}, and `rrm run` (no root, no cluster)."
        )


@dataclass
class CommandFailed(ClusterError):
    """A command ended with another code than 0."""

    command: Sequence[str]
    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        words = " ".join(str(word) for word in self.command)
        return f"exit code {self.exit_code} of: {words}\n{self.stdout[-2000:]}{self.stderr[-4000:]}"


@dataclass
class DaemonFailed(ClusterError):
    """A daemon ended, or was not ready in time; prints the end of its log."""

    name: str
    problem: str
    log: Path

    def __post_init__(self) -> None:
        # Read now: the folder of a cluster that failed to start is removed before anyone prints the error.
        self.log_tail = tail(self.log)

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}. The end of its log ({self.log}):\n{self.log_tail}"


def tail(log: Path, *, characters: int = 3000) -> str:
    """Return the end of a log file, or a note that there is none."""
    if not log.exists():
        return "(no log was written)"
    return log.read_text(errors="replace")[-characters:]
