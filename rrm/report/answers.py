"""The judge's answers at one validation: how labels and scores meet, and a few of them to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import floor
from pathlib import Path
from typing import Any, Final

from rrm.report.reading import Gaps, Row, read_table, rows_at
from rrm.scales import PREFERENCE, Scale

COLUMNS: Final = (
    "row_id", "prompt_group", "label", "prediction", "reward", "parse_ok", "truncated", "answer",
    "pair_id", "reward_error", "swap_consistent", "answer_swapped",
)  # fmt: skip
EXAMPLES_PER_KIND: Final = 3
MOST_CHARS: Final = 12_000
"""Longer texts are cut in a page, never in `rrm inspect`."""
MOST_CELLS: Final = 11
"""A wider scale is shown in this many classes of equal width."""


class Kind(StrEnum):
    """What became of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Classes:
    """The scale in classes, each with a name: whole numbers, or ranges of them where there are many.

    >>> Classes(Scale(0, 4)).names
    ('0', '1', '2', '3', '4')
    >>> Classes(PREFERENCE).names, Classes(PREFERENCE).index(1)
    (('A', 'tie', 'B'), 2)
    >>> Classes(Scale(0, 100)).names[:2], Classes(Scale(0, 100)).index(100)
    (('0-9', '10-18'), 10)
    """

    scale: Scale

    @property
    def count(self) -> int:
        """How many there are."""
        return min(len(self.scale.values), MOST_CELLS)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, from the low end."""
        if self.scale == PREFERENCE:
            return ("A", "tie", "B")
        members: list[list[int]] = [[] for _ in range(self.count)]
        for value in self.scale.values:
            members[self.index(value)].append(value)
        return tuple(f"{m[0]}" if len(m) == 1 else f"{m[0]}-{m[-1]}" for m in members)

    def index(self, value: float) -> int:
        """Return the class of a value; what lies off the scale belongs to its nearest end."""
        inside = min(max(value, self.scale.low), self.scale.high)
        return min(floor((inside - self.scale.low) * self.count / len(self.scale.values)), self.count - 1)


@dataclass(frozen=True)
class Confusion:
    """How often each label met each score; unreadable answers are a column of their own.

    Attributes:
        names: Classes of the scale.
        counts: Answers by label (rows) and score (columns); the last column are the unreadable.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def labels(self) -> tuple[int, ...]:
        """Answers by label."""
        return tuple(sum(row) for row in self.counts)

    @property
    def predictions(self) -> tuple[int, ...]:
        """Readable answers by score."""
        return tuple(sum(row[i] for row in self.counts) for i in range(len(self.names)))

    @property
    def unreadable(self) -> int:
        """Answers that could not be read."""
        return sum(row[-1] for row in self.counts)


@dataclass(frozen=True)
class Example:
    """One answer to read.

    Attributes:
        kind: What became of it.
        row_id: Row of the validation part.
        label: Truth, in words.
        prediction: What was read, in words; None if nothing was.
        reward: What it earned.
        is_truncated: Whether it was cut off at the length limit.
        why_unread: Why it could not be read; None where it could.
        prompt: Role and text of each message; empty if the rows are not at hand.
        answer: What the judge wrote.
        swapped: What it wrote to the pair in the other order; None if it was not asked.
        untrained: What the untrained model wrote to the same row; None if it was not asked.
    """

    kind: Kind
    row_id: str
    label: str
    prediction: str | None
    reward: float
    is_truncated: bool
    why_unread: str | None
    prompt: tuple[tuple[str, str], ...]
    answer: str
    swapped: str | None
    untrained: str | None


@dataclass(frozen=True)
class Sheet:
    """The answers of one validation.

    Attributes:
        step: When they were given.
        count: How many.
        confusion: Labels against scores.
        examples: Some of each kind, drawn by a hash of the row, so nobody picked them.
    """

    step: int
    count: int
    confusion: Confusion
    examples: tuple[Example, ...]


def read_answers(path: Path, gaps: Gaps) -> list[Row]:
    """Return the answers of a validation; nothing if they cannot be read."""
    table = read_table(path, gaps, columns=COLUMNS, lost="its answers")
    return [] if table is None else list(table.to_pylist())


def truncated_share(path: Path, gaps: Gaps) -> float | None:
    """Return the share of a validation's answers that the length limit cut off."""
    table = read_table(path, gaps, columns=["truncated"], lost="its share of truncated answers")
    if table is None or not table.num_rows or "truncated" not in table.column_names:
        return None
    cut = table["truncated"].to_pylist()
    return sum(bool(flag) for flag in cut) / len(cut)


def kind_of(row: Row) -> Kind:
    """Return what became of an answer."""
    if not row.get("parse_ok"):
        return Kind.UNREADABLE
    return Kind.RIGHT if row.get("prediction") == row.get("label") else Kind.WRONG


def confusion_of(rows: Sequence[Row], scale: Scale) -> Confusion:
    """Return labels against scores.

    >>> rows = [{"label": 0.0, "prediction": 1.0, "parse_ok": True}, {"label": 1.0, "parse_ok": False}]
    >>> confusion_of(rows, Scale(0, 1)).counts
    ((0, 1, 0), (0, 0, 1))
    """
    classes = Classes(scale)
    counts = [[0] * (classes.count + 1) for _ in range(classes.count)]
    for row in rows:
        column = classes.index(row["prediction"]) if row.get("parse_ok") else classes.count
        counts[classes.index(row["label"])][column] += 1
    return Confusion(classes.names, tuple(tuple(row) for row in counts))


def score_in_words(value: float, scale: Scale) -> str:
    """Return a label or score as people say it.

    >>> score_in_words(-1, PREFERENCE), score_in_words(3.0, Scale(0, 4)), score_in_words(0.5, Scale(0, 4))
    ('A', '3', '0.5')
    """
    if scale == PREFERENCE and value in scale and float(value).is_integer():
        return Classes(scale).names[int(value) + 1]
    return f"{value:g}"


@dataclass(frozen=True)
class Texts:
    """Where an example's texts come from.

    Attributes:
        prompts: File of the validation rows.
        base: Answers of the untrained model; may be empty.
        why: Says of an answer, and whether it was cut off, why it could not be read.
    """

    prompts: Path
    base: Sequence[Row]
    why: Callable[[str, bool], str]


def sheet_of(step: int, rows: Sequence[Row], texts: Texts, *, scale: Scale, gaps: Gaps) -> Sheet:
    """Return the answers of a validation, ready to be shown.

    Args:
        step: When they were given.
        rows: The answers.
        texts: Where prompts and other words come from.
        scale: Range of labels and scores.
        gaps: Told what is missing.
    """
    chosen = [row for kind in Kind for row in _drawn([row for row in rows if kind_of(row) is kind])]
    messages = read_prompts(texts.prompts, {row["row_id"] for row in chosen}, gaps)
    untrained = {row["row_id"]: row["answer"] for row in reversed(texts.base)} if step > 0 else {}
    examples = tuple(
        _example(
            row,
            texts,
            scale=scale,
            prompt=messages.get(row["row_id"], ()),
            untrained=untrained.get(row["row_id"]),
        )
        for row in chosen
    )
    return Sheet(step, len(rows), confusion_of(rows, scale), examples)


def _drawn(rows: Sequence[Row]) -> list[Row]:
    by_row = {row["row_id"]: row for row in reversed(rows)}  # one answer a row, the first
    drawn = sorted(by_row, key=lambda row_id: sha256(str(row_id).encode()).digest())
    return [by_row[row_id] for row_id in drawn[:EXAMPLES_PER_KIND]]


def _example(
    row: Row, texts: Texts, *, scale: Scale, prompt: Sequence[Row], untrained: str | None
) -> Example:
    kind, row_id = kind_of(row), str(row["row_id"])
    swapped = row.get("answer_swapped")
    return Example(
        kind=kind,
        row_id=row_id,
        label=score_in_words(row["label"], scale),
        prediction=None if kind is Kind.UNREADABLE else score_in_words(row["prediction"], scale),
        reward=row["reward"],
        is_truncated=bool(row.get("truncated")),
        why_unread=texts.why(row["answer"], bool(row.get("truncated"))) if kind is Kind.UNREADABLE else None,
        prompt=tuple((str(m["role"]), shortened(str(m["content"]))) for m in prompt),
        answer=shortened(row["answer"]),
        swapped=None if swapped is None else shortened(swapped),
        untrained=None if untrained is None else shortened(untrained),
    )


def shortened(text: str) -> str:
    """Return a text of bearable length; says how much was cut, and where all of it is."""
    if len(text) <= MOST_CHARS:
        return text
    rest = len(text) - MOST_CHARS
    return f"{text[:MOST_CHARS]} [{rest} more characters: `rrm inspect` shows them]"


def read_prompts(path: Path, row_ids: set[str], gaps: Gaps) -> dict[str, Sequence[Row]]:
    """Return the messages of rows by their id, of those that are there."""
    table = read_table(path, gaps, columns=["row_id", "messages"], lost="the prompts of the examples")
    if table is None or not {"row_id", "messages"} <= set(table.column_names):
        return {}
    wanted = [i for i, row_id in enumerate(table["row_id"].to_pylist()) if row_id in row_ids]
    return {row["row_id"]: row["messages"] for row in rows_at(table, wanted)}


def read_scale(path: Path, gaps: Gaps) -> Scale | None:
    """Return the range of labels and scores that prepared rows carry; None if they carry none."""
    columns = ["scale_low", "scale_high"]
    table = read_table(path, gaps, columns=columns, lost="the prompts and the scale of the rows")
    if table is None or not table.num_rows or set(table.column_names) != set(columns):
        return None
    first: dict[str, Any] = table.slice(0, 1).to_pylist()[0]
    low, high = int(first["scale_low"]), int(first["scale_high"])
    return Scale(low, high) if low < high else None
