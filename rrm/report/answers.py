"""The judge's answers at one validation: what became of each, and a few of them to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from rrm.report.confusion import Confusion, confusion_of, score_in_words
from rrm.report.reading import Gaps, Row, read_table, rows_at
from rrm.scales import Scale

COLUMNS: Final = (
    "row_id", "prompt_group", "label", "prediction", "reward", "parse_ok", "truncated", "answer",
    "reward_error", "acc", "swap_consistent", "answer_swapped",
)  # fmt: skip
EXAMPLES_PER_KIND: Final = 3
MOST_CHARS: Final = 12_000
"""Longer texts are cut in a page, never in `rrm inspect`."""
UNKNOWN: Final = "no verdict in the form that was asked for"


class Kind(StrEnum):
    """What became of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"


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
        is_consistent: Whether both orders named the same answer; None where one was asked.
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
    is_consistent: bool | None
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
    """Return what became of an answer; to both orders of a pair: right or readable in both."""
    if not row.get("parse_ok"):
        return Kind.UNREADABLE
    is_right = row.get("prediction") == row.get("label")
    if row.get("answer_swapped") is not None:
        is_right = row.get("acc") == 1
    return Kind.RIGHT if is_right else Kind.WRONG


def is_consistent(row: Row) -> bool | None:
    """Return whether the verdicts on both orders of a pair name the same answer; None where one was asked."""
    return None if row.get("answer_swapped") is None else bool(row.get("swap_consistent"))


def why_unread(row: Row, why: Callable[[str, bool], str | None]) -> str:
    """Return why an answer could not be read; of both orders of a pair, the first that could not."""
    texts = [text for text in (row["answer"], row.get("answer_swapped")) if text is not None]
    found = (why(text, bool(row.get("truncated"))) for text in texts)
    return next((reason for reason in found if reason is not None), UNKNOWN)


@dataclass(frozen=True)
class Texts:
    """Where an example's texts come from.

    Attributes:
        prompts: File of the validation rows.
        base: Answers of the untrained model; may be empty.
        why: Says of an answer, and whether it was cut off, why it cannot be read; None if it can.
    """

    prompts: Path
    base: Sequence[Row]
    why: Callable[[str, bool], str | None]


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
        why_unread=why_unread(row, texts.why) if kind is Kind.UNREADABLE else None,
        prompt=tuple((str(m["role"]), shortened(str(m["content"]))) for m in prompt),
        answer=shortened(row["answer"]),
        swapped=None if swapped is None else shortened(swapped),
        is_consistent=is_consistent(row),
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
