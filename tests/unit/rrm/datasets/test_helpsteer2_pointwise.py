"""HelpSteer2 rows of both shapes; anything else is refused with what was expected and found."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.datasets.helpsteer2_pointwise import ATTRIBUTES, convert
from rrm.datasets.refusal import RowRefused

LABELS = dict.fromkeys(ATTRIBUTES, 3)
QUARTERS = dict.fromkeys(ATTRIBUTES, 0.75)


def hub(**changes: Any) -> dict[str, Any]:
    return {"prompt": "c#", "response": "A language."} | LABELS | changes


def nested(**changes: Any) -> dict[str, Any]:
    return {"prompt": "c#", "responses": ["A language.", "No."], "labels": [QUARTERS, QUARTERS]} | changes


def test_a_published_row_is_one_sample() -> None:
    (sample,) = convert(hub(verbosity=1))
    assert [message.content for message in sample.input] == ["c#"]
    assert sample.output[0].answer.content == "A language."
    assert sample.output[0].answer.label == LABELS | {"verbosity": 1}
    assert (sample.source, sample.task_category) == ("helpsteer2", "chat")


def test_a_nested_row_is_two_samples_with_whole_labels() -> None:
    first, second = convert(nested(labels=[QUARTERS, dict.fromkeys(ATTRIBUTES, 0.0)]))
    assert first.output[0].answer.label == LABELS
    assert second.output[0].answer.label == dict.fromkeys(ATTRIBUTES, 0)
    assert first.unique_id != second.unique_id


def test_machine_written_reasonings_change_nothing() -> None:
    assert convert(nested(reasonings=["because", "because"])) == convert(nested())


@given(st.integers(0, 4), st.floats(-1e-7, 1e-7))
def test_rounding_noise_in_quarters_is_forgiven(points: int, noise: float) -> None:
    labels = dict.fromkeys(ATTRIBUTES, points / 4 + noise)
    assert convert(nested(labels=[labels, labels]))[0].output[0].answer.label == dict.fromkeys(
        ATTRIBUTES, points
    )


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        (hub(helpfulness=9), "label out of range", "helpfulness: a whole number from 0 to 4, found int 9"),
        (hub(helpfulness=-1), "label out of range", "found int -1"),
        (hub(helpfulness=2.5), "label between two scores", "found float 2.5"),
        (hub(helpfulness="3"), "label is not a number", "found str '3'"),
        (hub(helpfulness=None), "label is not a number", "found NoneType None"),
        (hub(helpfulness=True), "label is not a number", "found bool True"),
        (hub(helpfulness=float("nan")), "label is not a number", "found float nan"),
        (hub(response=["a"]), "response is not text", "response: a string, found list ['a']"),
        (hub(response=None), "response is not text", "found NoneType None"),
        (hub(response="  "), "empty response", "response: some text"),
        (hub(prompt=""), "empty prompt", "prompt: some text"),
        (hub(response="\ud800"), "response is not Unicode", "half a surrogate pair"),
        ({k: v for k, v in hub().items() if k != "response"}, "missing column", "found no response"),
        ({k: v for k, v in hub().items() if k != "verbosity"}, "missing column", "found no verbosity"),
        (hub(extra=1), "unknown column", "found also extra"),
        ({}, "missing column", "expected the columns"),
        (nested(responses=["one"]), "wrong type", "responses: a list of two"),
        (nested(responses="ab"), "wrong type", "responses: a list of two"),
        (nested(labels=[QUARTERS, None]), "missing column", "found NoneType None"),
        (nested(labels=[LABELS, LABELS]), "label out of range", "a quarter from 0 to 1"),
        (nested(labels=[dict.fromkeys(ATTRIBUTES, 1e308)] * 2), "label out of range", "found float 1e+308"),
        (nested(labels=[dict.fromkeys(ATTRIBUTES, -0.25)] * 2), "label out of range", "found float -0.25"),
        (nested(labels=[dict.fromkeys(ATTRIBUTES, "1")] * 2), "label is not a number", "found str '1'"),
        (nested(labels=[dict.fromkeys(ATTRIBUTES, 0.3)] * 2), "label between two scores", "found float 0.3"),
        ({k: v for k, v in nested().items() if k != "labels"}, "missing column", "found no labels"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_not_of_the_format_is_refused(row: dict[str, Any], reason: str, words: str) -> None:
    with pytest.raises(RowRefused) as refused:
        convert(row)
    assert refused.value.reason == reason
    assert words in str(refused.value)
