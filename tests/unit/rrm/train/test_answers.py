"""What a validation's answers become: one row per session, both orders of a pair side by side."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from rrm.train.answers import SCHEMA, answer_rows, read_answers, scored, write_answers

NUMBERS = {
    "label": -1.0,
    "strength": 0.5,
    "prediction": 1.0,
    "parse_ok": 1.0,
    "truncated": 0.0,
    "reward_error": 0.0,
    "acc": 0.0,
    "abs_err": 2.0,
    "swap_consistent": 1.0,
}


def columns(uids: list[str], **texts: list[str]) -> dict[str, list[Any]]:
    return {"uid": uids, **texts, **{name: [value] * len(uids) for name, value in NUMBERS.items()}}


def test_the_answers_to_both_orders_of_a_pair_are_one_row() -> None:
    outcomes = columns(
        ["p_0_0", "p_0_1", "p_1_0", "p_1_1"], row_id=["r"] * 4, prompt_group=["g"] * 4, pair_id=["q"] * 4
    )
    rows = answer_rows(["A", "B", "tie", "A"], [0.5, 0.5, 0.0, 0.0], outcomes)
    assert [(row["answer"], row["answer_swapped"], row["reward"]) for row in rows] == [
        ("A", "B", 0.5),
        ("tie", "A", 0.0),
    ]
    assert rows[0]["pair_id"] == "q"


def test_single_answers_are_a_row_each_in_the_order_of_their_rows(tmp_path: Path) -> None:
    outcomes = columns(["p_0_0", "q_0_0"], row_id=["z", "a"], prompt_group=["g", "h"], pair_id=["", ""])
    rows = answer_rows(["late", "early"], [1.0, 0.0], outcomes)
    assert [(row["row_id"], row["answer"]) for row in rows] == [("a", "early"), ("z", "late")]
    assert rows[0]["pair_id"] is None
    assert rows[0]["answer_swapped"] is None
    write_answers(tmp_path / "validation-0.parquet", rows)
    assert pq.read_schema(tmp_path / "validation-0.parquet").names == SCHEMA.names
    assert read_answers(tmp_path / "validation-0.parquet") == scored(rows)
