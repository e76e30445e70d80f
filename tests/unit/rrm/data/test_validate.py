"""Whoever wrote a converter: what would break later is refused here, counted, and shown with its place."""

from collections.abc import Mapping
from typing import Any

import pytest

from rrm.data.parts import Part
from rrm.data.prepare import _dropped
from rrm.data.rows import Candidate, Kept, Names, Place, RawRow
from rrm.data.tokens import ModelTokenizer
from rrm.data.validate import Count, Reading, Seen, Tally, validate
from rrm.datasets import Converter
from rrm.errors import DataInvalid
from rrm.reasoning import RULES
from rrm.sample import DataSample
from rrm.scales import Scale
from rrm_api.spec_train import Method, Reasoning

SCALE = Scale(0, 4)


def convert(row: Mapping[str, Any]) -> list[DataSample]:
    """A user's converter: it checks nothing itself."""
    answer = {"content": row.get("answer", "a"), "label": {"score": row.get("label", 3)}}
    turns = [{"role": row.get("role", "user"), "content": row.get("prompt", "p")}]
    outputs = [{"answer": answer}]
    return [DataSample.model_validate({"unique_id": "1", "input": turns, "output": outputs})]


def checked(*rows: Mapping[str, Any], allowed: float = 1.0) -> tuple[list[Candidate], Tally, Count]:
    reading = Reading(
        0, Method.POINTWISE, "score", SCALE, Converter(convert, SCALE, ("score",), "mine"), allowed
    )
    tally, count = Tally(), Count()
    raw = [RawRow(row, Place("source", "file", "line", n)) for n, row in enumerate(rows, start=1)]
    return list(validate(raw, reading, tally=tally, seen=Seen(), count=count)), tally, count


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"role": "wizard"}, "unknown role"),
        ({"answer": True}, "not a sample"),
        ({"answer": "half \ud800"}, "response is not Unicode"),
        ({"prompt": "half \ud800"}, "prompt is not Unicode"),
        ({"answer": " \n"}, "empty response"),
        ({"prompt": ""}, "empty prompt"),
        ({"label": 5}, "label out of range"),
        ({"label": None}, "label is missing"),
        ({"label": float("nan")}, "label is not a number"),
    ],
)
def test_what_a_converter_lets_through_is_refused(row: dict[str, Any], reason: str) -> None:
    candidates, tally, count = checked({"answer": "one"}, row, {"answer": "two"})
    assert len(candidates) == 2
    assert tally.counts == {reason: 1}
    assert tally.examples[reason].startswith("source, file file, line 2: expected ")
    assert (count.read, count.invalid) == (3, 1)


def test_the_first_bad_row_of_too_many_is_shown() -> None:
    with pytest.raises(DataInvalid, match=r"line 2: expected .* 2 of 4 rows are invalid"):
        checked({"answer": "1"}, {"answer": " "}, {"answer": "2"}, {"label": 9}, allowed=0.25)


def test_the_same_row_twice_is_a_duplicate_and_another_label_of_it_too() -> None:
    candidates, tally, _ = checked({"label": 3}, {"label": 3}, {"label": 4})
    assert [candidate.judged.label for candidate in candidates] == [3.0]
    assert (tally.counts, tally.examples) == ({"duplicate": 2}, {"duplicate": "source, file file, line 2"})


class SlowTokenizer:
    """A tokenizer without a fast part: one token per word."""

    def apply_chat_template(self, prompts: list[Any], **_: Any) -> list[str]:
        return [" ".join(message["content"] for message in prompt) for prompt in prompts]

    def __call__(self, texts: list[str], **_: Any) -> dict[str, list[list[int]]]:
        assert len(set(texts)) == len(texts), "equal texts are counted once"
        return {"input_ids": [[0] * len(text.split()) for text in texts]}


def test_a_tokenizer_without_a_fast_part_counts_too() -> None:
    prompts = [[{"role": "user", "content": text}] for text in ("a b c", "d", "a b c")]
    lengths = ModelTokenizer(SlowTokenizer(), None).lengths(prompts, RULES[Reasoning.NONE])  # type: ignore[arg-type]
    assert list(lengths) == [3, 1, 3]


def test_a_kept_row_takes_little_memory() -> None:
    row = Kept(Names("r"), "g", 1.0, 1.0, 0, "d", 1, 0, 0)
    assert not hasattr(row, "__dict__")
    assert not hasattr(row.names, "__dict__")


def test_more_reasons_than_the_status_holds_are_summed_up() -> None:
    part = Part("train", "spec.data.train", [])
    for number in range(40):
        part.tally.add(f"reason {number:02}", rows=number + 1)
    dropped = _dropped([part])
    assert len(dropped) == 32
    assert sum(drop.rows for drop in dropped) == sum(range(1, 41))
    assert {drop.reason: drop.rows for drop in dropped}["other reasons"] == sum(range(1, 10))
