"""The material of a trial and its result; each plug-in kind has a module beside this one that tries it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

from rrm.plugins.contained import Raised, contained
from rrm.sample import Judged
from rrm.scales import Scale
from rrm_api.spec_train import Method

T = TypeVar("T")


@dataclass(frozen=True)
class Material:
    """What plug-ins are tried on.

    Attributes:
        rows: Raw rows, for converters.
        judged: What the rows ask, for templates and rewards.
        method: Single answers or pairs.
        label: Attribute that is the truth.
        scale: Its range.
    """

    rows: Sequence[Mapping[str, Any]]
    judged: Sequence[Judged]
    method: Method
    label: str
    scale: Scale


@dataclass
class Trial:
    """What came of trying one plug-in.

    Attributes:
        name: Its name.
        kind: What it is.
        shown: What was asked and what it returned, in order.
        violations: What it breaks of its contract: with one, a training could fail.
        remarks: What is allowed and still worth knowing.
        seconds: How long each call took.
    """

    name: str
    kind: str
    shown: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def call(self, function: Callable[[], T]) -> T | Raised:
        """Return what a call returns or raises, and note how long it took."""
        start = time.perf_counter()
        result = contained(function)
        self.seconds.append(time.perf_counter() - start)
        return result

    def violate(self, message: str, *, at: str = "") -> None:
        """Note a fault, each once, with where it was first seen."""
        _note(self.violations, message, at)

    def remark(self, message: str, *, at: str = "") -> None:
        """Note something worth knowing, each once, with where it was first seen."""
        _note(self.remarks, message, at)

    @property
    def median_seconds(self) -> float:
        """Median time of a call; 0 without calls."""
        return median(self.seconds) if self.seconds else 0.0


def _note(notes: list[str], message: str, at: str) -> None:
    if not any(known.startswith(message) for known in notes):
        notes.append(message + at)
