"""Why a demo cannot start, or did not end well."""

from dataclasses import dataclass
from typing import Final

EXIT_NOT_HELD: Final = 1
EXIT_MISSING: Final = 3


class DemoError(Exception):
    """The demo cannot go on; prints what was expected, what was found and what to do."""

    exit_code: int = EXIT_NOT_HELD


@dataclass
class NotHere(DemoError):
    """Something the demo needs is not on this machine or in that cluster.

    Attributes:
        missing: Each missing thing, in words.
    """

    missing: tuple[str, ...]
    exit_code = EXIT_MISSING

    def __str__(self) -> str:
        lines = "\n".join(f"  - {thing}" for thing in self.missing)
        return (
            f"the demo cannot run here, missing:\n{lines}\n"
            "Without any cluster and without root this works: make setup trainer-env demo-data && "
            ".venv/bin/rrm run crds/examples/tiny-cpu.yaml"
        )


class TrainingEnded(DemoError):
    """The training ended in another way than it should."""
