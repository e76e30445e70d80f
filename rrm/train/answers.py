"""The per-row dump of a validation: one row per answer, in a parquet file beside the attempt's log.

Base and trained judge are compared on the very same rows through these files, and `rrm inspect` reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from rrm.judge.metrics import ScoredRow

SCHEMA: Final = pa.schema(
    [
        ("row_id", pa.string()),
        ("prompt_group", pa.string()),
        ("pair_id", pa.string()),
        ("label", pa.float64()),
        ("strength", pa.float64()),
        ("prediction", pa.float64()),
        ("reward", pa.float64()),
        ("parse_ok", pa.bool_()),
        ("truncated", pa.bool_()),
        ("reward_error", pa.bool_()),
        ("acc", pa.float64()),
        ("abs_err", pa.float64()),
        ("swap_consistent", pa.float64()),
        ("answer", pa.string()),
        ("answer_swapped", pa.string()),
        ("user_metrics", pa.string()),
    ]
)
"""`prediction` of an unreadable answer is the worst score for its label, as everywhere; `answer_swapped` is
what was said to the pair in the other order, where the judge was asked both ways round; `user_metrics` is
a JSON object of what a user's reward returned beside its score."""
_FLAGS: Final = ("parse_ok", "truncated", "reward_error")
_OWN: Final = ("answer", "answer_swapped", "reward", "user_metrics")


def answer_rows(
    texts: Sequence[str], rewards: Sequence[float], outcomes: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Return one row per session from the columns that the trainer collected, one value per answer.

    Args:
        texts: What the judge wrote.
        rewards: What each session earned, said again for each of its answers.
        outcomes: The session's numbers by name, said again likewise; `uid` is `{prompt}_{session}_{answer}`.
    """
    sessions: dict[str, dict[str, Any]] = {}
    for i, (text, reward) in enumerate(zip(texts, rewards, strict=True)):
        session = str(outcomes["uid"][i]).rpartition("_")[0]
        if session in sessions:  # answers of a session come in its order: this is the swapped pair's
            sessions[session]["answer_swapped"] = text
            continue
        row = {name: outcomes[name][i] for name in SCHEMA.names if name not in _OWN}
        flags = {name: bool(row[name]) for name in _FLAGS}
        texts_of = {"answer": text, "answer_swapped": None, "pair_id": row["pair_id"] or None}
        if "user_metrics" in outcomes:
            texts_of["user_metrics"] = outcomes["user_metrics"][i]
        sessions[session] = {**row, **flags, **texts_of, "reward": float(reward)}
    return sorted(sessions.values(), key=lambda row: row["row_id"])


def write_answers(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows such that a reader never sees half a file."""
    partial = path.with_suffix(".partial")
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), partial)
    partial.replace(path)


def read_answers(path: Path) -> list[ScoredRow]:
    """Return the answers of a validation as `rrm.judge` compares them."""
    names = [field.name for field in fields(ScoredRow)]
    return [ScoredRow(**row) for row in pq.read_table(path, columns=names).to_pylist()]


def scored(rows: Sequence[Mapping[str, Any]]) -> list[ScoredRow]:
    """Return rows of `answer_rows` as `rrm.judge` reads them."""
    names = [field.name for field in fields(ScoredRow)]
    return [ScoredRow(**{name: row[name] for name in names}) for row in rows]
