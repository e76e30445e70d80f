"""Raw rows to candidates: what is not of the format or was there before is counted, with an example."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rrm.data.rows import Candidate, Place, RawRow
from rrm.datasets import Converter
from rrm.datasets.refusal import RowRefused
from rrm.errors import DataInvalid
from rrm.row_id import prompt_group, row_id
from rrm.sample import DataSample

DUPLICATE = "duplicate"


@dataclass
class Tally:
    """Counts of rows that were not used, each reason with its first example."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, example: str = "", rows: int = 1) -> None:
        """Count rows; the first non-empty example of a reason is kept."""
        if rows:
            self.counts[reason] = self.counts.get(reason, 0) + rows
            if example:
                self.examples.setdefault(reason, example)


@dataclass(frozen=True)
class Reading:
    """How one source is read.

    Attributes:
        source: Index among the sources of its part.
        label: Attribute that is the truth.
        converter: Turns raw rows into samples.
        max_invalid_fraction: More invalid rows than this share of the source is an error.
        tells_labels_apart: Whether sources of the part differ in `label`: the same answer is then one row for
            each.
    """

    source: int
    label: str
    converter: Converter
    max_invalid_fraction: float
    tells_labels_apart: bool = False


@dataclass(frozen=True)
class Validated:
    """Candidates of a source, in order; `read` counts all rows (answers)."""

    candidates: list[Candidate]
    read: int


def validate(rows: Iterable[RawRow], reading: Reading, *, tally: Tally, seen: set[str]) -> Validated:
    """Return the candidates of a source.

    Args:
        rows: Raw rows.
        reading: How to read them.
        tally: Receives what was not used.
        seen: Ids of the rows so far; a row that was seen is a duplicate and is left out.

    Raises:
        DataInvalid: If more rows are invalid than allowed; shows the first one.
    """
    candidates: list[Candidate] = []
    refused: list[tuple[RowRefused, Place]] = []
    read = 0
    for row in rows:
        try:
            samples = reading.converter.convert(row.values)
        except RowRefused as refusal:
            refused.append((refusal, row.place))
            tally.add(refusal.reason, f"{row.place}: {refusal}")
            read += 1
            continue
        read += len(samples)
        for sample in samples:
            candidate = _candidate(sample, reading)
            if candidate.row_id in seen:
                tally.add(DUPLICATE, str(row.place))
                continue
            seen.add(candidate.row_id)
            candidates.append(candidate)
    _require_mostly_valid(refused, read, reading.max_invalid_fraction)
    return Validated(candidates, read)


def _candidate(sample: DataSample, reading: Reading) -> Candidate:
    labels = sample.output[0].answer.label or {}
    by_label = row_id(sample.unique_id, reading.label)
    return Candidate(
        sample=sample,
        row_id=by_label if reading.tells_labels_apart else sample.unique_id,
        label=float(labels[reading.label]),
        scale=reading.converter.scale,
        group=prompt_group(*(message.content for message in sample.input)),
        data_source=reading.converter.data_source,
        source=reading.source,
    )


def _require_mostly_valid(refused: list[tuple[RowRefused, Place]], read: int, allowed: float) -> None:
    if len(refused) <= allowed * read:
        return
    refusal, place = refused[0]
    share = "all" if len(refused) == read else str(len(refused))
    raise DataInvalid(
        expected=refusal.expected,
        found=refusal.found,
        where=str(place),
        do=f"{share} of {read} rows are invalid, spec.data.maxInvalidFraction allows {allowed:.4g} of them",
    )
