"""Untied pairs, against a loop over all pairs and a rank statistic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import somersd

from rrm.judge.scored import ScoredRow
from rrm.judge.untied import UntiedPairs, untied_pairs

ANSWERS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=25
)


def rows_of(answers: list[tuple[str, int, int, bool]]) -> list[ScoredRow]:
    return [ScoredRow(f"r{i}", g, label, said, 0.0, ok) for i, (g, label, said, ok) in enumerate(answers)]


@given(ANSWERS)
def test_it_counts_what_a_loop_counts(answers: list[tuple[str, int, int, bool]]) -> None:
    pairs = [(a, b) for i, a in enumerate(answers) for b in answers[i + 1 :] if a[0] == b[0] and a[1] != b[1]]
    readable = [(a, b) for a, b in pairs if a[3] and b[3]]
    right = sum((a[1] - b[1]) * (a[2] - b[2]) > 0 for a, b in readable)
    tied = sum(a[2] == b[2] for a, b in readable)
    assert untied_pairs(rows_of(answers)) == UntiedPairs(len(pairs), right, tied)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30))
def test_within_one_prompt_half_is_somers_d(answers: list[tuple[int, int]]) -> None:
    found = untied_pairs(rows_of([("a", label, said, True) for label, said in answers]))
    labels, said = zip(*answers, strict=True)
    if found.pairs and len(set(said)) > 1:
        assert 2 * found.half - 1 == pytest.approx(somersd(labels, said).statistic)


def test_a_predicted_tie_is_wrong_or_half() -> None:
    pairs = untied_pairs(
        rows_of([("a", 0, 3, True), ("a", 4, 3, True), ("b", 1, 3, True), ("b", 2, 4, True)])
    )
    assert (pairs.pairs, pairs.strict, pairs.half) == (2, 0.5, 0.75)


def test_an_unreadable_answer_loses_its_pairs() -> None:
    """Its prediction is the worst for its label, which next to another unreadable one would be a tie."""
    pairs = untied_pairs(rows_of([("a", 3, 0, False), ("a", 4, 0, False), ("a", 1, 0, True)]))
    assert pairs == UntiedPairs(pairs=3, right=0, tied=0)


def test_without_pairs_there_is_no_accuracy() -> None:
    pairs = untied_pairs(rows_of([("a", 3, 3, True), ("b", 4, 4, True), ("a", 3, 1, True)]))
    assert pairs.pairs == 0
    assert math.isnan(pairs.strict)
    assert math.isnan(pairs.half)
