"""Raw rows to candidates: what is not of the format or was there before is counted, with an example."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from rrm.data.pairs import names_of
from rrm.data.rows import Candidate, Place, RawRow
from rrm.datasets import Converter, judge
from rrm.datasets.refusal import RowRefused, shown
from rrm.errors import DataInvalid
from rrm.row_id import prompt_group
from rrm.sample import DataSample, Judged
from rrm.scales import Scale
from rrm_api.spec_train import Method

DUPLICATE: Final = "duplicate"
EQUAL_ANSWERS: Final = "both responses equal"
OTHER_ORDER: Final = "other order of a pair, judged with it"


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
        method: Whether single answers or pairs are judged.
        label: Attribute that is the truth.
        scale: Range of the truth.
        converter: Turns raw rows into samples.
        max_invalid_fraction: More invalid rows than this share of the source is an error.
        tells_labels_apart: Whether sources of the part differ in `label`: the same answer is then one row for
            each.
        folds_orders: Whether both orders of a pair are one row.
    """

    source: int
    method: Method
    label: str
    scale: Scale
    converter: Converter
    max_invalid_fraction: float
    tells_labels_apart: bool = False
    folds_orders: bool = False


@dataclass
class Seen:
    """Names of the rows and pairs so far."""

    rows: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)


@dataclass
class Count:
    """Rows (answers or pairs) of a source: how many were read and are invalid, and the first of those."""

    read: int = 0
    invalid: int = 0
    first: tuple[RowRefused, Place] | None = None

    def refuse(self, refusal: RowRefused, place: Place, tally: Tally) -> None:
        """Count a row that is invalid."""
        self.read += 1
        self.invalid += 1
        self.first = self.first or (refusal, place)
        tally.add(refusal.reason, f"{place}: {refusal}")


def validate(
    rows: Iterable[RawRow], reading: Reading, *, tally: Tally, seen: Seen, count: Count
) -> Iterator[Candidate]:
    """Yield the candidates of a source, in order.

    Args:
        rows: Raw rows.
        reading: How to read them.
        tally: Receives what was not used.
        seen: Rows so far; a row that was seen is a duplicate and is left out.
        count: Receives how many rows there are.

    Raises:
        DataInvalid: After the last row, if more rows are invalid than allowed; shows the first one.
    """
    for row in rows:
        for found in _judged_of(row, reading):
            if isinstance(found, RowRefused):
                count.refuse(found, row.place, tally)
                continue
            count.read += 1
            candidate = _candidate(found, reading)
            if reason := _redundant(candidate, seen, folds_orders=reading.folds_orders):
                tally.add(reason, str(row.place))
            else:
                yield candidate
    require_mostly_valid(count, reading.max_invalid_fraction)


def samples_of(row: RawRow, converter: Converter) -> list[DataSample]:
    """Return the samples of a raw row.

    Raises:
        RowRefused: If it is not of the format.
    """
    try:
        return converter.convert(row.values)
    except ValidationError as error:  # a value that no field of a sample takes
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        is_role = bool(fault["loc"]) and fault["loc"][-1] == "role"
        raise RowRefused(
            "unknown role" if is_role else "not a sample",
            expected=f"{where or 'the row'}: {fault['msg'].lower()}",
            found=shown(fault["input"]),
        ) from error


def require_mostly_valid(count: Count, allowed: float) -> None:
    """Refuse a source of which too many rows are invalid.

    Raises:
        DataInvalid: If their share is above `allowed`; shows the first one.
    """
    if count.first is None or count.invalid <= allowed * count.read:
        return
    refusal, place = count.first
    share = "all" if count.invalid == count.read else str(count.invalid)
    raise DataInvalid(
        expected=refusal.expected,
        found=refusal.found,
        where=str(place),
        do=f"{share} of {count.read} rows are invalid, "
        f"spec.data.maxInvalidFraction allows {allowed:.4g} of them",
    )


def _judged_of(row: RawRow, reading: Reading) -> Iterator[Judged | RowRefused]:
    try:
        samples = samples_of(row, reading.converter)
    except RowRefused as refusal:
        yield refusal
        return
    for sample in samples:
        try:
            judged = judge(sample, method=reading.method, label=reading.label, scale=reading.scale)
            for one in judged:
                _require_usable(one, reading.scale)
        except RowRefused as refusal:
            yield refusal
        else:
            yield from judged


def _require_usable(judged: Judged, scale: Scale) -> None:
    """Refuse what would break later, whoever wrote the converter."""
    sample = judged.sample
    texts = [("prompt", message.content) for message in sample.input]
    answers = [("response", output.answer.content) for output in sample.output]
    for name, text in (*texts, *answers):
        if not text.isascii():
            _require_unicode(name, text)
    if not any(text.strip() for _, text in texts):
        raise RowRefused("empty prompt", expected="prompt: some text", found="none")
    if not all(text.strip() for _, text in answers):
        raise RowRefused("empty response", expected="response: some text", found="none")
    if not math.isfinite(judged.label) or judged.label not in scale:
        expected = f"a label from {scale.low} to {scale.high}"
        raise RowRefused("label out of range", expected=expected, found=shown(judged.label))


def _require_unicode(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowRefused(
            f"{name} is not Unicode", expected=f"{name}: valid Unicode", found="half a surrogate pair"
        ) from None


def _candidate(judged: Judged, reading: Reading) -> Candidate:
    return Candidate(
        judged=judged,
        names=names_of(judged, label=reading.label if reading.tells_labels_apart else None),
        group=prompt_group(*(message.content for message in judged.sample.input)),
        data_source=reading.converter.data_source,
        source=reading.source,
    )


def _redundant(candidate: Candidate, seen: Seen, *, folds_orders: bool) -> str | None:
    """Return why a valid row teaches nothing new, or None and remember it."""
    names, answers = candidate.names, candidate.judged.sample.output
    if names.pair is not None and answers[0].answer.content.strip() == answers[1].answer.content.strip():
        return EQUAL_ANSWERS
    if names.row in seen.rows:
        return DUPLICATE
    if names.pair is not None and folds_orders:
        if names.pair in seen.pairs:
            return OTHER_ORDER
        seen.pairs.add(names.pair)
    seen.rows.add(names.row)
    return None
