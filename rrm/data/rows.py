"""The values that travel through preparing: raw rows with their place, candidates, and kept rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rrm.sample import Judged


@dataclass(frozen=True)
class Place:
    """Where a row was read: the source as the spec names it, the file, the line or row in it (from 1)."""

    source: str
    file: str = ""
    unit: str = "line"
    number: int | None = None

    def __str__(self) -> str:
        parts = [self.source]
        if self.file:
            parts.append(f"file {self.file}")
        if self.number is not None:
            parts.append(f"{self.unit} {self.number}")
        return ", ".join(parts)


@dataclass(frozen=True)
class RawRow:
    """A row as it was read."""

    values: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a row that depend on nothing but its texts, and on the label where a part has several.

    Attributes:
        row: Hash of conversation and answers, in their order.
        pair: Hash of a pair, equal for both orders; None for a single answer.
        turned: `row` of the pair's other order; None for a single answer.
    """

    row: str
    pair: str | None = None
    turned: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A valid judged sample that may become a row.

    Attributes:
        judged: Sample and truth.
        names: Its names.
        group: Hash of the normalised prompt.
        data_source: Name under which metrics are kept apart.
        source: Index of its source among those of its part.
    """

    judged: Judged
    names: Names
    group: str
    data_source: str
    source: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays in memory of a row whose prompt fits; its texts wait in the spill file.

    Attributes:
        names: Its names.
        group: Hash of the normalised prompt.
        label: Truth on the scale.
        strength: How clear the preference of a pair is, in [0, 1].
        source: Index of its source among those of its part.
        data_source: Name under which metrics are kept apart.
        tokens: Length of the prompt.
        turned_tokens: Length of the prompt in the pair's other order; 0 for a single answer.
        at: Where its texts start in the spill file, in bytes.
    """

    names: Names
    group: str
    label: float
    strength: float
    source: int
    data_source: str
    tokens: int
    turned_tokens: int
    at: int
