"""One row of a training: its prompt, its label, and every answer that a validation kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm.errors import DataInvalid
from rrm.report.answers import Kind, is_consistent, kind_of, read_answers, why_unread
from rrm.report.confusion import score_in_words
from rrm.report.readers import Reader, reader_in
from rrm.report.reading import Gaps, Row, read_table, rows_at, whole_number
from rrm.scales import Scale

COLUMNS: Final = (
    "row_id", "prompt_group", "pair_id", "data_source", "messages", "messages_swapped", "label", "strength",
    "scale_low", "scale_high", "prompt_tokens",
)  # fmt: skip
REQUIRED: Final = {"row_id", "messages", "label", "scale_low", "scale_high"}
PARTS: Final = ("validation", "test", "train")
SHOWN: Final = 8
"""Most ids that a refusal lists."""


@dataclass(frozen=True)
class Said:
    """One answer to the row.

    Attributes:
        step: When; 0 = the untrained model.
        attempt: Which attempt validated it.
        kind: right, wrong or unreadable.
        answer: What the judge wrote.
        swapped: What it wrote to the pair in the other order; None if it was not asked.
        read: What was read and earned, in words.
    """

    step: int
    attempt: str
    kind: str
    answer: str
    swapped: str | None
    read: str


@dataclass(frozen=True)
class RowSeen:
    """A row with what is known of it.

    Attributes:
        row_id: Its whole id.
        facts: Name -> value, for people.
        prompt: Role and text of each message.
        swapped: The same with the pair in the other order; empty if it was not asked so.
        answers: Oldest step first.
        why_unanswered: Why there are none, if there are none.
    """

    row_id: str
    facts: dict[str, str]
    prompt: tuple[tuple[str, str], ...]
    swapped: tuple[tuple[str, str], ...]
    answers: tuple[Said, ...]
    why_unanswered: str


def find_row(root: Path, row_id: str, *, step: int | None) -> RowSeen:
    """Return a prepared row of a training, by its id or the beginning of one.

    Args:
        root: Folder of the training.
        row_id: Id, or what only one id begins with.
        step: Only this step's answers; None = all.

    Raises:
        DataInvalid: No row, or several, begin so; or the prepared rows cannot be read.
    """
    part, row = _prepared(root, row_id)
    scale = Scale(int(row["scale_low"]), int(row["scale_high"]))
    answers = tuple(_answers(root, row["row_id"], step, scale))
    at = "" if step is None else f" at step {step}"
    why = f"no answer to it was kept{at}: only those of validations are, and this is a {part} row"
    return RowSeen(
        row_id=row["row_id"],
        facts=_facts(part, row, scale),
        prompt=_messages(row["messages"]),
        swapped=_messages(row.get("messages_swapped")),
        answers=answers,
        why_unanswered=why,
    )


def _messages(messages: Sequence[Row] | None) -> tuple[tuple[str, str], ...]:
    return tuple((message["role"], message["content"]) for message in messages or ())


def _prepared(root: Path, row_id: str) -> tuple[str, Row]:
    gaps = Gaps(root)
    found: list[tuple[str, Row]] = []
    for part in PARTS:
        path = root / "data" / f"{part}.parquet"
        if part == "test" and not path.exists():
            continue  # many trainings keep none
        table = read_table(path, gaps, columns=COLUMNS, lost=f"the {part} rows")
        if table is None or not REQUIRED <= set(table.column_names):
            continue
        ids = table["row_id"].to_pylist()
        places = [i for i, name in enumerate(ids) if str(name).startswith(row_id)]
        found += [(part, row) for row in rows_at(table, places)]
    exact = [pair for pair in found if pair[1]["row_id"] == row_id]
    if len(found) == 1 or exact:
        return (exact or found)[0]
    listed = ", ".join(row["row_id"] for _, row in found[:SHOWN]) or "none"
    trouble = f" ({'; '.join(gaps.found)})" if gaps.found else ""
    raise DataInvalid(
        expected=f"one prepared row whose id begins with {row_id}",
        found=f"{len(found)}: {listed}{trouble}",
        where=str(root / "data"),
        do="the report names the rows of its examples; give more characters of the id",
    )


def _facts(part: str, row: Row, scale: Scale) -> dict[str, str]:
    facts = {
        "row": row["row_id"],
        "part": part,
        "source": row.get("data_source"),
        "prompt group": row.get("prompt_group"),
        "pair": row.get("pair_id"),
        "label": f"{score_in_words(row['label'], scale)} on {scale.low} to {scale.high}",
        "prompt tokens": row.get("prompt_tokens"),
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def _answers(root: Path, row_id: str, step: int | None, scale: Scale) -> list[Said]:
    gaps, said = Gaps(root), []
    why, name = reader_in(root, scale), f"attempt-*/validation-{'*' if step is None else step}.parquet"
    paths = [*root.glob(name), *root.glob(f"predecessor-*/{name}")]
    dated = [(whole_number(path.stem.removeprefix("validation-")) or 0, path) for path in paths]
    for at, path in sorted(dated, key=lambda pair: (pair[0], _attempt(pair[1]))):
        for row in read_answers(path, gaps):
            if row["row_id"] == row_id:
                said.append(_said(at, path, row, scale=scale, why=why))
    return said


def _attempt(path: Path) -> int:
    return whole_number(path.parent.name.rpartition("-")[2]) or 0


def _said(step: int, path: Path, row: Row, *, scale: Scale, why: Reader) -> Said:
    kind = kind_of(row)
    read = f"read {score_in_words(row['prediction'], scale)}"
    if kind is Kind.UNREADABLE:
        because = why_unread(row, why)
        read = f"not readable ({because}), counted as {score_in_words(row['prediction'], scale)}"
    reward = "your reward function failed, so the minimum" if row.get("reward_error") else "reward"
    label = score_in_words(row["label"], scale)
    if is_consistent(row) is not None and kind is not Kind.UNREADABLE:
        read += f", in the other order {'the same' if is_consistent(row) else 'another'} answer"
    return Said(
        step=step,
        attempt=f"{_attempt(path)}" + (" of a predecessor" if "predecessor-" in path.parts[-3] else ""),
        kind=kind.value,
        answer=row["answer"],
        swapped=row.get("answer_swapped"),
        read=f"{read}, label {label}: {kind.value}, {reward} {row['reward']:.4f}",
    )
