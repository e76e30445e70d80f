"""One complaint of a user about a neighbour of ours, and what became of it here."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What can be said about a complaint."""

    TESTED = "tested"
    IMPOSSIBLE = "impossible"
    UNTESTABLE = "untestable"


@dataclass(frozen=True)
class Complaint:
    """A complaint, as people filed it.

    Tested means that a test in this folder is named after one of its issues; exactly one of that,
    `impossible` and `untestable` must hold. An impossible one may have a test as well, which guards why.
    """

    number: int
    """Of our list, 1 to 95."""
    issues: tuple[str, ...]
    """`project#number` or `project PR#number`; the first names the complaint."""
    says: str
    """What the user says."""
    anchor: str = ""
    """What the project does. Empty where a test exists: its docstring says it."""
    impossible: str = ""
    """By which construction it cannot happen here."""
    untestable: str = ""
    """Why no test of ours can show it."""
    seen_red: str = ""
    """Which change of the product made the test fail, when it was tried."""
    remark: str = ""
    """What a reader should know about the verdict."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """How names of tests about it begin.

        >>> Complaint(41, ("trainer#3779", "dask-kubernetes PR#9"), "").prefixes
        ('test_trainer_3779_', 'test_dask_kubernetes_9_')
        """
        return tuple(f"test_{_word(project)}_{number}_" for project, number in map(_parts, self.issues))


def _parts(issue: str) -> tuple[str, str]:
    found = re.fullmatch(r"([\w/-]+)(?: PR)?#(\d+)", issue)
    if found is None:
        raise ValueError(f"{issue!r} is no issue; project#number or project PR#number is required")
    return found[1], found[2]


def _word(project: str) -> str:
    return re.sub(r"\W", "_", project).lower()
