"""The parser reads what is well formed, names what is not, and guesses nothing."""

import inspect
import re
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.reasoning import RULES, ReasoningRule
from rrm.scales import Scale
from rrm.templates import verdict
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict, parse_preference, parse_verdict
from rrm_api.spec_train import Reasoning

SCALE = Scale(0, 4)
NONE, NATIVE, PROMPTED = (RULES[Reasoning(kind)] for kind in ("None", "Native", "Prompted"))
MISSING, TRUNCATED, OUT_OF_RANGE, NOT_INTEGER, AMBIGUOUS = FailureKind


@pytest.mark.parametrize(
    ("text", "rule", "expected"),
    [
        ("<score>3</score>", NONE, 3),
        ("<SCORE> 3\n</Score>", NONE, 3),
        ("first <score>1</score>, no: <score>4</score>", NONE, 4),
        ("<score>+2</score> is my score", NONE, 2),
        ("<score>004</score>", NONE, 4),
        ("<think>is it <score>0</score>?</think>\n<score>3</score>", NATIVE, 3),
        ("is it <score>0</score>?</think>\n<score>3</score>", NATIVE, 3),
        ("<think>a</think> <think>b</think><score>2</score>", NATIVE, 2),
        ("<score>2</score>", NATIVE, 2),
        ("<reason>between <score>1</score> and 2</reason><score>2</score>", PROMPTED, 2),
        ("<score>2</score>", PROMPTED, 2),
        ("", NONE, MISSING),
        ("3", NONE, MISSING),
        ("Score: 3/4", NONE, MISSING),
        ("<score >3</score >", NONE, MISSING),
        ("<\u017fcore>3</\u017fcore>", NONE, MISSING),
        ("<think><score>3</score></think>", NATIVE, MISSING),
        ("<reason><score>3</score></reason> good", PROMPTED, MISSING),
        ("<score>3", NONE, TRUNCATED),
        ("<think>so <score>3</score>", NATIVE, TRUNCATED),
        ("<think>a</think><think>b <score>3</score>", NATIVE, TRUNCATED),
        ("<reason>so <score>3</score>", PROMPTED, TRUNCATED),
        ("<score>9</score>", NONE, OUT_OF_RANGE),
        ("<score>-1</score>", NONE, OUT_OF_RANGE),
        ("<score>" + "9" * 5000 + "</score>", NONE, OUT_OF_RANGE),
        ("<score>3.5</score>", NONE, NOT_INTEGER),
        ("<score>3.0</score>", NONE, NOT_INTEGER),
        ("<score>3/4</score>", NONE, NOT_INTEGER),
        ("<score>three</score>", NONE, NOT_INTEGER),
        ("<score></score>", NONE, NOT_INTEGER),
        ("<score>\uff13</score>", NONE, NOT_INTEGER),
        ("<score>3 4</score>", NONE, NOT_INTEGER),
        ("<score>3</score> or <score>4", NONE, AMBIGUOUS),
        ("<score><score>3</score></score>", NONE, AMBIGUOUS),
        ("<score><score>3</score>", NONE, AMBIGUOUS),
        ("3</score>", NONE, AMBIGUOUS),
        ("<score>3</score></score>", NONE, AMBIGUOUS),
    ],
)
def test_answers_are_read_or_named(text: str, rule: ReasoningRule, expected: int | FailureKind) -> None:
    wanted = ParseFailure(expected) if isinstance(expected, FailureKind) else Verdict(expected)
    assert parse_verdict(text, SCALE, rule) == wanted


@pytest.mark.parametrize(
    ("text", "rule", "expected"),
    [
        ("long thoughts without tags <score>3</score>", NATIVE, ParseFailure(TRUNCATED)),
        ("thoughts</think><score>3</score> and more", NATIVE, Verdict(3)),
        ("nothing yet", NONE, ParseFailure(TRUNCATED)),
        ("<score>3</score> and more", NONE, Verdict(3)),
    ],
    ids=["vanished thinking tags", "thinking ended", "no score yet", "score came in time"],
)
def test_a_cut_answer_counts_only_if_its_score_was_complete(
    text: str, rule: ReasoningRule, expected: Verdict | ParseFailure
) -> None:
    assert parse_verdict(text, SCALE, rule, is_cut=True) == expected


@given(st.integers(0, 4), st.text(alphabet=st.characters(exclude_characters="<>"), max_size=80))
def test_what_the_prompt_asks_for_is_read_back(score: int, thought: str) -> None:
    answers = {
        NONE: f"{thought}<score>{score}</score>",
        NATIVE: f"<think>{thought}</think>\n\n<score>{score}</score>",
        PROMPTED: f"<reason>{thought}</reason>\n<score> {score} </score>",
    }
    for rule, text in answers.items():
        assert parse_verdict(text, SCALE, rule) == Verdict(score)


FRAGMENTS = st.lists(
    st.sampled_from(
        ["<score>", "</score>", "<think>", "</think>", "<reason>", "</reason>", "3", "9", "x", " "]
    ),
    max_size=30,
).map("".join)


@given(st.one_of(FRAGMENTS, st.text()), st.sampled_from([NONE, NATIVE, PROMPTED]), st.booleans())
def test_any_text_gives_a_score_on_the_scale_or_a_failure(
    text: str, rule: ReasoningRule, is_cut: bool
) -> None:
    read = parse_verdict(text, SCALE, rule, is_cut=is_cut)
    assert isinstance(read, ParseFailure) or read.score in SCALE


@given(FRAGMENTS)
def test_reasoning_never_decides(text: str) -> None:
    thought = text.replace("<think>", "").replace("</think>", "")
    assert parse_verdict(f"<think>{thought}</think>", SCALE, NATIVE) == ParseFailure(MISSING)


def test_an_answer_is_whole_unless_one_says_it_was_cut() -> None:
    assert parse_verdict("good", SCALE, NONE) == ParseFailure(MISSING)
    assert parse_preference("good", NONE) == ParseFailure(MISSING)
    assert parse_preference("good", NONE, is_cut=True) == ParseFailure(TRUNCATED)


ADVERSARIAL = [
    "<score>",
    "</score>",
    "<think>",
    "<think></think>",
    "<score>1</score>",
    "<score><score>1</score>",
    "<better>A</preference>",
    "<",
    "<score",
    " ",
    "1",
]
"""Pieces whose repetition makes a careless pattern look at the same text again and again."""


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_a_megabyte_of_adversarial_text_is_read_in_one_pass(piece: str) -> None:
    """Anything worse than linear would take hours here; the bench measures the seconds."""
    text = piece * (1_000_000 // len(piece))
    read = parse_verdict(text, SCALE, NATIVE)
    assert isinstance(read, Verdict if piece == "<score>1</score>" else ParseFailure)


def steps(call: Callable[[], object]) -> int:
    """Return how many lines of the parser a call executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line" and frame.f_code.co_filename == verdict.__file__
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_a_longer_text_takes_not_one_step_more(piece: str) -> None:
    """Each step is one search, copy or match from end to end, so reading is linear, without a clock."""
    for rule in (NONE, NATIVE, PROMPTED):
        scores = {steps(partial(parse_verdict, piece * times, SCALE, rule)) for times in (50, 5_000)}
        preferences = {steps(partial(parse_preference, piece * times, rule)) for times in (50, 5_000)}
        assert (len(scores), len(preferences)) == (1, 1)
        assert min(scores | preferences) > 10


def test_the_one_pattern_cannot_backtrack() -> None:
    """A sign, then digits: no part of it can match what another one gave up."""
    source = inspect.getsource(verdict)
    assert re.findall(r"re\.\w+\(.*", source) == ['re.compile(rb"[+-]?[0-9]+")']
