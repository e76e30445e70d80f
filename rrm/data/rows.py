"""The values that travel through preparing: raw rows with their place, candidates, and prepared rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rrm.sample import DataSample
from rrm.scales import Scale
from rrm.templates import Message


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


@dataclass(frozen=True)
class Candidate:
    """A valid sample that may become a row.

    Attributes:
        sample: The sample.
        row_id: Hash of prompt and answer, and of the label's name where sources of the part differ in it.
        label: Truth on the scale.
        scale: Range of the label.
        group: Hash of the normalised prompt.
        data_source: Name under which metrics are kept apart.
        source: Index of its source among those of its part.
    """

    sample: DataSample
    row_id: str
    label: float
    scale: Scale
    group: str
    data_source: str
    source: int


@dataclass(frozen=True)
class PreparedRow:
    """A row as the trainer reads it; `prompt_tokens` counts the rendered prompt."""

    candidate: Candidate
    messages: list[Message]
    prompt_tokens: int

    @property
    def row_id(self) -> str:
        """The candidate's."""
        return self.candidate.row_id
