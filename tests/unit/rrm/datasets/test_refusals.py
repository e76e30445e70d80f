"""Rows that are not of their format: refused with a reason to count, what was expected and what was found."""

from copy import deepcopy
from enum import Enum
from typing import Any

import pytest

from rrm.datasets.refusal import RowRefused, shown


class Gone(Enum):
    """Stands for a field that is taken away; an enum's name is the same in every process."""

    GONE = "gone"


GONE = Gone.GONE
TALK = [{"role": "assistant", "content": "Hi"}]


def changed(row: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a row with one field replaced, or taken away."""
    copy = deepcopy(row)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place: Any = copy
    for part in way:
        place = place[part]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return copy


REFUSED = [
    ("helpsteer2_pairwise", "prompt", GONE, "missing column", "found no prompt"),
    ("helpsteer2_pairwise", "response_2", None, "response_2 is not text", "found NoneType None"),
    ("helpsteer2_pairwise", "preference_strength", 4, "label out of range", "from -3 to 3, found int 4"),
    ("helpsteer2_pairwise", "preference_strength", 1.5, "label between two scores", "found float 1.5"),
    ("helpsteer2_pairwise", "preference_strength", -100, "neither answer is acceptable", "found int -100"),
    ("helpsteer2_pairwise", "preference_statement", 7, "preference_statement is not text", "found int 7"),
    ("helpsteer3_preference", "context", [], "wrong type", "context: a list of 1 or more"),
    ("helpsteer3_preference", "context", "", "empty context", "context: some text"),
    ("helpsteer3_preference", "context/0/role", "bot", "unknown role", "system, user, assistant, function"),
    ("helpsteer3_preference", "context/0/role", ["user"], "unknown role", "found list ['user']"),
    ("helpsteer3_preference", "context/0/content", 1, "context is not text", "found int 1"),
    ("helpsteer3_preference", "context/0", "Hi", "wrong type", "context: a record of role, content"),
    ("helpsteer3_preference", "context", [{"role": "user", "content": " "}], "empty context", "some text"),
    ("helpsteer3_preference", "overall_preference", True, "label is not a number", "found bool True"),
    ("ultrafeedback_pointwise", "completions", None, "wrong type", "completions: a list"),
    ("ultrafeedback_pointwise", "completions/0/annotations", GONE, "wrong type", "response, annotations"),
    ("ultrafeedback_pointwise", "completions/0/annotations/honesty", "5", "wrong type", "a record of Rating"),
    (
        "ultrafeedback_pointwise",
        "completions/0/annotations/honesty/Rating",
        "6",
        "unknown rating",
        'honesty: a Rating of "1" to "5" or "N/A", found str \'6\'',
    ),
    ("ultrafeedback_pointwise", "completions/0/annotations/honesty/Rating", 5, "unknown rating", "int 5"),
    ("ultrafeedback_pointwise", "completions/0/overall_score", 11, "label out of range", "1 to 10"),
    ("ultrafeedback_pairwise", "completions/0/fine-grained_score", "4", "label out of range", "1 to 5"),
    ("ultrafeedback_pairwise", "completions/1/response", "\n", "empty response", "found str '\\n'"),
    ("ultrafeedback_pairwise", "completions/1/model", 3, "model is not text", "found int 3"),
    ("rewardbench", "rejected", 8, "wrong type", "rejected: a list of 1 or more, found int 8"),
    ("rewardbench", "chosen", "", "empty chosen", "chosen: some text"),
    ("rewardbench", "prompt", 8, "wrong type", "prompt: a list"),
    ("rewardbench", "prompt", {"role": "user"}, "wrong type", "a record of role, content"),
    ("rewardbench2", "id", None, "id is not text", "found NoneType None"),
    ("rewardbench2", "chosen", [], "wrong type", "chosen: a list of 1 or more"),
    ("rmbench", "chosen", ["a", "b"], "wrong type", "chosen: three answers, found 2"),
    ("rmbench", "rejected/2", None, "rejected is not text", "found NoneType None"),
    ("rmbbenchmark_pairwise", "reject", GONE, "missing column", "found no reject"),
    ("rmbbenchmark_pairwise", "chosen/answer", "", "empty chosen answer", "some text"),
    ("rmbbenchmark_bestofn", "loser_list", [], "wrong type", "loser_list: a list of 1 or more"),
    ("judgebench", "label", "A=B", "unknown label", "label: one of A>B, B>A, found str 'A=B'"),
    ("judgebench", "response_B", False, "response_B is not text", "found bool False"),
    ("prmbench", "error_steps", [4], "wrong type", "error_steps: numbers from 1 to 3, found list [4]"),
    ("prmbench", "error_steps", [True], "wrong type", "numbers from 1 to 3"),
    ("prmbench", "original_process", [], "wrong type", "original_process: a list of 1 or more"),
    ("pandalm", "response1", True, "response1 is not text", "response1: a string, found bool True"),
    ("pandalm", "annotator2", 3, "unknown annotator2", "one of 1, 2, 0, found int 3"),
    ("pandalm", "annotator2", True, "unknown annotator2", "found bool True"),
    ("pandalm", "annotator3", 0, None, ""),
    ("llmbar", "label", 0, "unknown label", "label: one of 1, 2, found int 0"),
    ("llmbar", "label", 1.0, "unknown label", "found float 1.0"),
    ("autoj", "label", 3, "unknown label", "label: one of 0, 1, 2, found int 3"),
    ("autoj", "response 1", "\ud800", "response 1 is not Unicode", "half a surrogate pair"),
    ("autoj", "scenario", "\ud800", "scenario is not Unicode", "half a surrogate pair"),
    ("chat_message", "messages", GONE, "missing column", "found no messages"),
    ("chat_message", "messages/1/role", None, "unknown role", "found NoneType None"),
    ("chat_message", "label", "good", "label is not a number", "label: a number, found str 'good'"),
    ("generic", "instruction", GONE, "missing column", "one of the columns prompt, question"),
    ("generic", "output", "  ", "empty output", "output: some text"),
    ("generic", "label", float("nan"), "label is not a number", "found float nan"),
]


@pytest.mark.parametrize(
    ("format", "path", "value", "reason", "words"), REFUSED, ids=lambda value: str(value)[:40]
)
def test_what_is_not_of_the_format_is_refused(
    format: str, path: str, value: Any, reason: str | None, words: str, lines: Any, converted: Any
) -> None:
    row = changed(lines(f"formats/{format}.jsonl")[0], path, value)
    if reason is None:
        row = changed(row, "annotator1", 1)  # three annotators, three verdicts
        reason, words = "no majority", "two of three annotators of one mind"
    with pytest.raises(RowRefused) as refused:
        converted(format, row)
    assert refused.value.reason == reason
    assert words in str(refused.value)


def test_a_label_that_was_asked_for_must_be_there(converted: Any) -> None:
    with pytest.raises(RowRefused, match="expected the columns stars, found no stars"):
        converted("generic", {"prompt": "q", "response": "a"}, label="stars")
    with pytest.raises(RowRefused, match="stars: a number, found NoneType None"):
        converted("chat_message", {"messages": TALK, "stars": None}, label="stars")


def test_what_cannot_be_shown_is_named_at_least() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "list too large to show"
    assert shown(10**5000) == "int too large to show"
