"""Faults of RM-Gallery's loader, one test each: what goes wrong there must not go wrong here."""

import json
import random
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from rrm.errors import DataInvalid

LABELS = dict.fromkeys(("helpfulness", "correctness", "coherence", "complexity", "verbosity"), 2)
SOURCE = {"format": "helpsteer2_pointwise"}


def row(number: int, response: str = "") -> dict[str, Any]:
    return {"prompt": f"question {number}", "response": response or f"answer {number}"} | LABELS


def data(uri: str, **source: Any) -> dict[str, Any]:
    return {"train": [SOURCE | {"uri": uri} | source], "validation": {"fraction": "0.2"}}


def everything(workshop: Any) -> list[dict[str, Any]]:
    rows = workshop.rows("train") + workshop.rows("validation")
    return sorted(rows, key=lambda each: str(each["row_id"]))


def test_no_file_of_a_folder_overwrites_another(workshop: Any) -> None:
    for number in range(3):
        workshop.write(f"rows/{number}/train.jsonl", [row(10 * number + i) for i in range(10)])
    assert workshop.prepare(data=data("pvc://c/rows")).read_rows == 30
    assert len(everything(workshop)) == 30


def test_ratings_and_preferences_of_one_folder_are_not_mixed(workshop: Any) -> None:
    workshop.write("rows/train.jsonl", [row(i) for i in range(10)])
    pairs = [{"prompt": "q", "response_1": "a", "response_2": "b", "preference_strength": 1}] * 10
    workshop.write("rows/preference/preference.jsonl", pairs)
    with pytest.raises(
        DataInvalid, match=r"preference/preference\.jsonl, line 1: .* 10 of 20 rows are invalid"
    ):
        workshop.prepare(data=data("pvc://c/rows"))


@pytest.mark.parametrize("line", [1, 600, 1200], ids=["first", "after the first batch", "last"])
def test_one_broken_line_is_neither_skipped_nor_fatal_without_a_place(workshop: Any, line: int) -> None:
    uri = workshop.write("rows.jsonl", [row(i) for i in range(1200)])
    path = workshop.folder / "claims/c/rows.jsonl"
    lines = path.read_text().splitlines()
    lines[line - 1] = lines[line - 1][:-5]
    path.write_text("\n".join(lines))
    with pytest.raises(DataInvalid, match=f"file rows.jsonl, line {line}: expected valid JSON"):
        workshop.prepare(data=data(uri))
    assert not workshop.volume.exists(), "nothing is left of the rows before it"


def test_parquet_needs_no_column_named_prompt(workshop: Any) -> None:
    rows = [
        {
            "context": [{"role": "user", "content": f"question {i}"}],
            "response1": f"one {i}",
            "response2": f"two {i}",
            "overall_preference": 1 - 2 * (i % 2),
            "domain": "general",
            "language": "english",
        }
        for i in range(20)
    ]
    pq.write_table(pa.Table.from_pylist(rows), workshop.folder / "claims/c/rows.parquet")
    workshop.pairwise({"format": "helpsteer3_preference", "uri": "pvc://c/rows.parquet"})
    assert len(everything(workshop)) == 20


def test_an_unknown_format_is_refused_by_name(workshop: Any) -> None:
    with pytest.raises(ValidationError, match="helpsteer2_pointwise"):
        workshop.prepare(data=data("pvc://c/rows.jsonl", format="my_own_source"))


def test_a_limit_draws_the_same_rows_in_whatever_order_they_come(workshop: Any, new_workshop: Any) -> None:
    rows = [row(i) for i in range(100)]
    uri = workshop.write("rows.jsonl", rows)
    workshop.prepare(data=data(uri, limit=30))
    other = new_workshop()
    random.Random(5).shuffle(rows)
    other.write("rows.jsonl", rows)
    other.prepare(data=data(uri, limit=30))
    assert workshop.rows("train") == other.rows("train")
    assert workshop.rows("validation") == other.rows("validation")
    other.prepare(data=data(uri, limit=30) | {"seed": 2})
    assert everything(workshop) != everything(other)


def test_a_limit_does_not_tear_the_two_orders_of_a_pair_apart(workshop: Any, new_workshop: Any) -> None:
    """Without its other order a pair says nothing about whether the judge looks at the place."""
    rows = [
        {
            "prompt": f"question {i}",
            "response_1": f"one {i}",
            "response_2": f"two {i}",
            "preference_strength": 2,
        }
        for i in range(100)
    ]
    kept = []
    for place, order in ((workshop, rows), (new_workshop(), rows[::-1])):
        source = {"format": "helpsteer2_pairwise", "uri": place.write("pairs.jsonl", order), "limit": 51}
        place.pairwise(source)
        kept.append({row["row_id"]: row["pair_id"] for row in place.rows("train") + place.rows("validation")})
    assert kept[0] == kept[1]
    assert sorted(Counter(kept[0].values()).values()) == [1, *[2] * 25]


def test_shuffled_rows_fall_into_the_same_parts(workshop: Any, new_workshop: Any) -> None:
    rows = [{"prompt": f"q {i}", "chosen": f"good {i}", "rejected": f"bad {i}"} for i in range(60)]
    source = {"format": "rewardbench", "uri": workshop.write("rows.jsonl", rows)}
    other = new_workshop()
    random.Random(5).shuffle(rows)
    other.write("rows.jsonl", rows)
    for shop in (workshop, other):
        shop.pairwise(source, data={"test": {"fraction": "0.1"}})
    for part in ("train", "validation", "test"):
        key = "row_id"
        assert sorted(workshop.rows(part), key=lambda each: str(each[key])) == sorted(
            other.rows(part), key=lambda each: str(each[key])
        )


def test_files_are_read_by_name_whichever_came_first(workshop: Any, new_workshop: Any) -> None:
    other = new_workshop()
    for shop, names in ((workshop, "abc"), (other, "cab")):
        for name in names:
            shop.write(f"rows/{name}.jsonl", [row(ord(name) * 100 + i) for i in range(10)])
        shop.prepare(data=data("pvc://c/rows"))
    assert workshop.contents == other.contents


def test_long_rows_are_not_filtered_away(workshop: Any) -> None:
    rows = [row(i, "x" * 5_000 + str(i)) for i in range(10)]
    prepared = workshop.prepare(data=data(workshop.write("rows.jsonl", rows)) | {"maxPromptTokens": 8000})
    assert prepared.data.dropped == []
    assert len(everything(workshop)) == 10


def test_a_row_carries_its_prompt_once_and_no_raw_data(workshop: Any) -> None:
    rows = [row(i, f"the very answer {i}.") for i in range(10)]
    workshop.prepare(data=data(workshop.write("rows.jsonl", rows)))
    for each in everything(workshop):
        assert json.dumps(each).count("the very answer") == 1


def samples(number: int) -> list[dict[str, Any]]:
    """Rows as RM-Gallery exports them."""
    return [
        {
            "unique_id": f"id {i}",
            "input": [{"role": "user", "content": f"question {i}"}],
            "output": [
                {"answer": {"role": "assistant", "content": f"a {i}", "label": {"helpfulness": i % 5}}}
            ],
            "metadata": {"raw_data": {"prompt": f"question {i}"}},
            "task_category": "chat",
            "source": "helpsteer2",
        }
        for i in range(number)
    ]


@pytest.mark.parametrize("shape", ["nested parquet", "JSON strings in parquet", "JSON lines"])
def test_every_shape_of_exported_samples_is_read(workshop: Any, shape: str) -> None:
    rows = samples(20)
    path = workshop.folder / "claims/c/rows.parquet"
    if shape == "JSON lines":
        workshop.write("rows.jsonl", rows)
        path = path.with_suffix(".jsonl")
    elif shape == "nested parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        packed = [
            each | {name: json.dumps(each[name]) for name in ("input", "output", "metadata")} for each in rows
        ]
        pq.write_table(pa.Table.from_pylist(packed), path)
    source = {"format": "data_sample", "uri": f"pvc://c/{path.name}", "label": "helpfulness"}
    workshop.prepare(
        data={
            "train": [source | {"scale": {"low": 0, "high": 4}}],
            "validation": {"fraction": "0.2"},
        }
    )
    assert sorted(each["label"] for each in everything(workshop)) == sorted(float(i % 5) for i in range(20))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"input": [{"role": "wizard", "content": "q"}]}, "unknown role"),
        ({"output": [{"answer": {"content": "", "label": {"helpfulness": 1}}}]}, "empty"),
        ({"output": [{"answer": {"content": True, "label": {"helpfulness": 1}}}]}, "text"),
        ({"output": [{"answer": {"content": "a", "label": {}}}]}, "label is missing"),
        ({"output": [{"answer": {"content": "a", "label": {"helpfulness": 5}}}]}, "label out of range"),
    ],
    ids=["role", "empty", "no string", "no label", "off the scale"],
)
def test_each_kind_of_bad_row_has_its_counter_and_first_example(
    workshop: Any, change: dict[str, Any], reason: str
) -> None:
    uri = workshop.write("rows.jsonl", [*samples(20), samples(1)[0] | change, samples(1)[0] | change])
    source = {"format": "data_sample", "uri": uri, "label": "helpfulness", "scale": {"low": 0, "high": 4}}
    prepared = workshop.prepare(
        data={"train": [source], "validation": {"fraction": "0.2"}, "maxInvalidFraction": "0.1"}
    )
    (dropped,) = prepared.data.dropped
    assert reason in dropped.reason
    assert dropped.rows == 2
    example = workshop.report["parts"]["train"]["dropped"][dropped.reason]["example"]
    assert example.startswith("spec.data.train[0] pvc://c/rows.jsonl, file rows.jsonl, line 21: expected")
