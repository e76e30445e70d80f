"""The test part: by share or by sources, apart from all others by prompt, gone when it is not asked for."""

from typing import Any

import pytest

from rrm.errors import DataInvalid, InvalidSpec

LABELS = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
SOURCE = {"format": "helpsteer2_pointwise"}


def answers(*prompts: str) -> list[dict[str, Any]]:
    """Two rated answers to each prompt."""
    labels = dict.fromkeys(LABELS, 2)
    return [{"prompt": p, "response": f"answer {n} to {p}"} | labels for p in prompts for n in (1, 2)]


def questions(start: int, end: int) -> list[str]:
    return [f"question {i}" for i in range(start, end)]


def groups(workshop: Any, part: str) -> set[str]:
    return {row["prompt_group"] for row in workshop.rows(part)}


def test_three_shares_are_apart_by_prompt_and_keep_all_rows(workshop: Any) -> None:
    uri = workshop.write("rows.jsonl", answers(*questions(0, 100)))
    data = {"train": [SOURCE | {"uri": uri}], "validation": {"fraction": "0.1"}, "test": {"fraction": "0.2"}}
    prepared = workshop.prepare(data=data)
    train, validation, test = (groups(workshop, part) for part in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (70, 10, 20)
    assert not train & validation | train & test | validation & test
    assert (prepared.data.train, prepared.data.validation) == (140, 20)
    assert workshop.report["parts"]["test"]["rows"] == 40
    first = workshop.contents
    workshop.prepare(data=data)
    assert workshop.contents == first


def test_a_test_part_leaves_the_validation_rows_where_they_were(workshop: Any, new_workshop: Any) -> None:
    rows = answers(*questions(0, 100))
    data = {"train": [SOURCE | {"uri": "pvc://c/rows.jsonl"}], "validation": {"fraction": "0.1"}}
    other = new_workshop()
    for shop in (workshop, other):
        shop.write("rows.jsonl", rows)
    workshop.prepare(data=data)
    other.prepare(data=data | {"test": {"fraction": "0.2"}})
    assert workshop.rows("validation") == other.rows("validation")


def test_own_test_rows_take_their_prompts_from_validation_and_training(workshop: Any) -> None:
    sources = {
        "train": workshop.write("train.jsonl", answers(*questions(0, 40))),
        "validation": workshop.write("validation.jsonl", answers(*questions(30, 50))),
        "test": workshop.write("test.jsonl", answers(*questions(38, 45), "QUESTION  49")),
    }
    source = {name: [SOURCE | {"uri": uri}] for name, uri in sources.items()}
    data = {
        "train": source["train"],
        "validation": {"sources": source["validation"]},
        "test": {"sources": source["test"]},
    }
    prepared = workshop.prepare(data=data)
    train, validation, test = (groups(workshop, part) for part in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (30, 12, 8)
    assert not train & validation | train & test | validation & test
    assert {drop.reason: drop.rows for drop in prepared.data.dropped} == {
        "prompt also in test": 2 * 2 + 2 * 8,
        "prompt also in validation": 2 * 8,
    }
    assert prepared.read_rows == 80 + 40 + 16


def test_own_validation_rows_and_a_share_for_the_test_go_together(workshop: Any) -> None:
    train = workshop.write("train.jsonl", answers(*questions(0, 40)))
    validation = workshop.write("validation.jsonl", answers(*questions(90, 95)))
    data = {
        "train": [SOURCE | {"uri": train}],
        "validation": {"sources": [SOURCE | {"uri": validation}]},
        "test": {"fraction": "0.25"},
    }
    workshop.prepare(data=data)
    counts = [len(groups(workshop, part)) for part in ("train", "validation", "test")]
    assert counts == [30, 5, 10]


def test_the_digest_knows_the_test_rows_and_a_part_that_is_not_asked_for_any_more_is_gone(
    workshop: Any,
) -> None:
    uri = workshop.write("rows.jsonl", answers(*questions(0, 40)))
    data = {"train": [SOURCE | {"uri": uri}], "validation": {"fraction": "0.1"}}
    without = workshop.prepare(data=data).data.digest
    assert workshop.prepare(data=data | {"test": {"fraction": "0.1"}}).data.digest != without
    assert (workshop.data / "test.parquet").is_file()
    assert workshop.prepare(data=data).data.digest == without
    assert not (workshop.data / "test.parquet").exists()


@pytest.mark.parametrize(
    ("validation", "test", "words"),
    [
        ("0.6", "0.4", "validation.fraction is 0.6 and spec.data.test.fraction is 0.4 of 10 prompts"),
        ("0.1", "0", "spec.data.test.fraction is 0 of 10 prompts"),
    ],
)
def test_shares_that_leave_nothing_to_a_part_are_refused(
    workshop: Any, validation: str, test: str, words: str
) -> None:
    uri = workshop.write("rows.jsonl", answers(*questions(0, 10)))
    data = {
        "train": [SOURCE | {"uri": uri}],
        "validation": {"fraction": validation},
        "test": {"fraction": test},
    }
    with pytest.raises(InvalidSpec, match=words):
        workshop.prepare(data=data)
    assert not workshop.volume.exists()


def test_an_empty_test_part_is_refused(workshop: Any) -> None:
    uri = workshop.write("rows.jsonl", answers(*questions(0, 10)))
    test = workshop.write("test.jsonl", answers("long " * 500))
    data = {
        "train": [SOURCE | {"uri": uri}],
        "validation": {"fraction": "0.1"},
        "test": {"sources": [SOURCE | {"uri": test}]},
        "maxPromptTokens": 200,
    }
    with pytest.raises(DataInvalid, match="at least one test row, found none of 2 left"):
        workshop.prepare(data=data)


def test_sources_on_two_scales_are_refused_before_a_row_is_read(workshop: Any) -> None:
    uri = workshop.write("rows.jsonl", answers(*questions(0, 10)))
    data = {
        "train": [SOURCE | {"uri": uri}, SOURCE | {"uri": uri, "scale": {"low": 1, "high": 5}}],
        "validation": {"fraction": "0.1"},
    }
    with pytest.raises(InvalidSpec, match="expected one scale for all sources of a training") as refused:
        workshop.prepare(data=data)
    assert "spec.data.train[0] 0 to 4, spec.data.train[1] 1 to 5" in str(refused.value)
