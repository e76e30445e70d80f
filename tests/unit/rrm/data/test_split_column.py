"""A published split that stands in the rows: honoured where it is asked for, counted, never guessed."""

from typing import Any

import pytest

from rrm.data.rows import Place, RawRow
from rrm.data.split_column import OTHER_SPLIT, of_split
from rrm.data.validate import Count, Tally
from rrm.errors import DataInvalid


def chosen(split: str | None, *said: Any) -> tuple[list[int], Tally, Count]:
    rows = [RawRow({"n": n, "split": value}, Place("s", "f", "line", n + 1)) for n, value in enumerate(said)]
    tally, count = Tally(), Count()
    kept = [row.values["n"] for row in of_split(rows, split, place="source", tally=tally, count=count)]
    return kept, tally, count


@pytest.mark.parametrize(
    ("split", "kept"),
    [
        ("train", [0, 3, 4]),
        ("validation", [1, 2, 3, 4]),
        ("val", [1, 2, 3, 4]),
        (None, [0, 1, 2, 3, 4]),
        ("alpacaeval", [0, 1, 2, 3, 4]),
    ],
)
def test_rows_of_other_splits_are_left_out_and_counted(split: str | None, kept: list[int]) -> None:
    found, tally, count = chosen(split, "train", "val", "Validation", "blue", 7)
    assert found == kept
    assert count.read == tally.counts.get(OTHER_SPLIT, 0) == 5 - len(kept)
    assert count.invalid == 0


def test_a_split_that_no_row_has_is_an_error() -> None:
    with pytest.raises(
        DataInvalid, match=r"rows of the split test, found only rows .* says train, validation"
    ):
        chosen("test", "train", "val")


def test_a_claims_file_is_read_whole_unless_a_split_is_asked_for(workshop: Any, new_workshop: Any) -> None:
    rows = [
        {
            "prompt": f"q {i}",
            "response_1": f"a {i}",
            "response_2": f"b {i}",
            "preference_strength": 1,
            "split": "val" if i % 5 == 0 else "train",
        }
        for i in range(50)
    ]
    source = {"format": "helpsteer2_pairwise", "uri": workshop.write("rows.jsonl", rows)}
    assert workshop.pairwise(source).data.dropped == []
    other = new_workshop()
    other.write("rows.jsonl", rows)
    train, validation = source | {"split": "train"}, {"sources": [source | {"split": "validation"}]}
    prepared = other.pairwise(train, data={"validation": validation})
    assert {drop.reason: drop.rows for drop in prepared.data.dropped} == {"of another split": 10 + 40}
    assert (prepared.data.train, prepared.data.validation, prepared.read_rows) == (80, 20, 150)
