"""Benchmark rules, against what a coin and a stubborn judge earn and against plain loops."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.judge.benchmarks.orders import (
    BothOrders,
    Rule,
    accuracy,
    consistency,
    expected_of_always_first,
    expected_of_coin,
    score_pair,
)
from rrm.judge.benchmarks.rewardbench2 import Scores, best_of_n, ties
from rrm.judge.benchmarks.rm_bench import Difficulties, difficulties, wins_of

SAID = st.sampled_from([-1, 0, 1, None])
PAIRS = st.lists(st.builds(BothOrders, st.sampled_from([-1, 1]), SAID, SAID), min_size=1, max_size=30)
HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("first", "second", "scores"),
    [
        pytest.param(-1, 1, (1, 1, 1, 1), id="right, right"),
        pytest.param(-1, 0, (1, 0, 1, HALF), id="right, tie"),
        pytest.param(-1, None, (1, 0, 1, HALF), id="right, unreadable"),
        pytest.param(-1, -1, (1, 0, 0, HALF), id="always the first"),
        pytest.param(1, 1, (0, 0, 0, HALF), id="always the second"),
        pytest.param(0, 1, (0, 0, 1, HALF), id="tie, right"),
        pytest.param(0, 0, (0, 0, 0, 0), id="tie, tie"),
        pytest.param(0, -1, (0, 0, 0, 0), id="tie, wrong"),
        pytest.param(1, -1, (0, 0, 0, 0), id="wrong, wrong"),
        pytest.param(None, None, (0, 0, 0, 0), id="unreadable"),
    ],
)
def test_the_four_rules_on_a_pair_whose_first_answer_is_better(
    first: int | None, second: int | None, scores: tuple[Fraction, ...]
) -> None:
    assert tuple(score_pair(BothOrders(-1, first, second), rule) for rule in Rule) == scores
    turned = BothOrders(1, *(None if said is None else -said for said in (first, second)))
    assert tuple(score_pair(turned, rule) for rule in Rule) == scores


def test_a_tie_that_people_named_is_right_only_if_named() -> None:
    assert [score_pair(BothOrders(0, 0, 1), rule) for rule in Rule] == [1, 0, 1, HALF]


@given(PAIRS)
def test_the_rules_keep_their_order(pairs: list[BothOrders]) -> None:
    """Right in both orders is the hardest; by win count one earns no more than with any right verdict."""
    both, count, mean = (accuracy(pairs, rule) for rule in (Rule.BOTH_RIGHT, Rule.WIN_COUNT, Rule.MEAN))
    assert both <= mean + 1e-9
    assert both <= count <= 2 * mean + 1e-9
    assert both <= accuracy(pairs, Rule.SINGLE)
    assert both <= consistency(pairs)


@given(PAIRS)
def test_a_consistent_judge_scores_alike_by_every_rule(pairs: list[BothOrders]) -> None:
    same = [BothOrders(pair.label, said, -said) for pair in pairs if (said := pair.first) is not None]
    if same:
        assert len({accuracy(same, rule) for rule in Rule}) == 1
        assert consistency(same) == 1


def test_a_coin_and_a_stubborn_judge_earn_what_the_rules_promise() -> None:
    assert [expected_of_coin(rule) for rule in Rule] == [0.5, 0.25, 0.25, 0.5]
    stubborn = [BothOrders(label, -1, -1) for label in [-1] * 551 + [1] * 449]
    for rule in Rule:
        assert expected_of_always_first(rule, 0.551) == pytest.approx(accuracy(stubborn, rule))
    assert consistency(stubborn) == 0


def test_an_unreadable_verdict_is_never_consistent() -> None:
    assert consistency([BothOrders(-1, None, None), BothOrders(-1, 0, 0)]) == 0.5


def test_no_pairs_have_no_score() -> None:
    with pytest.raises(ValueError, match="accuracy of no pairs"):
        accuracy([], Rule.MEAN)
    with pytest.raises(ValueError, match="consistency of no pairs"):
        consistency([])


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=10))
def test_rm_bench_counts_three_pairs_of_styles_for_each_difficulty(scores: list[list[int]]) -> None:
    found = difficulties([wins_of(six[:3], six[3:]) for six in scores])
    kinds: dict[str, list[bool]] = {"easy": [], "normal": [], "hard": []}
    for six in scores:
        for i in range(3):
            for j in range(3):
                kind = "easy" if i > j else "hard" if i < j else "normal"
                kinds[kind].append(six[i] > six[3 + j])
    expected = Difficulties(**{kind: float(np.mean(wins)) for kind, wins in kinds.items()})
    for kind in ("easy", "normal", "hard"):
        assert getattr(found, kind) == pytest.approx(getattr(expected, kind))
    assert found.mean == pytest.approx(np.mean([wins for won in kinds.values() for wins in won]))


@pytest.mark.parametrize("wins", [np.zeros((2, 3)), np.zeros((2, 3, 4)), np.zeros((0, 3, 3))])
def test_rm_bench_refuses_other_tables(wins: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"shape \(prompts, 3, 3\), found"):
        difficulties(wins)


@pytest.mark.parametrize(
    ("scores", "score"),
    [([2, 1, 1, 1], 1), ([1, 2, 1, 1], 0), ([2, 2, 1, 1], 0.5), ([1, 1, 1, 1], 0.25)],
)
def test_best_of_four_shares_a_tie_at_the_top(scores: list[int], score: float) -> None:
    assert best_of_n(scores) == score


def test_the_ties_score_by_hand() -> None:
    one = {"a": Scores([5], [3, 1]), "b": Scores([2], [2]), "alone": Scores([1], [0])}
    many = {"a": Scores([5, 4], [1]), "b": Scores([5, 2], [1, 0])}
    found = ties(one, many)
    assert found.one_right == pytest.approx(2 / 3)
    assert found.many_right == 1
    assert found.preferred == 0.5  # margins 3 > 1, 1 < 3
    assert found.preferred_hard == 0.5  # 2 > 1, 0 < 3
    assert found.closeness == pytest.approx((math.tanh(1) + math.tanh(-1)) / 2)
    assert found.overall == pytest.approx(0.3 * (1 + 2 / 3) + 0.2 * 0.5 * 2)


@pytest.mark.parametrize(
    ("wrong", "closeness"),
    [pytest.param(3, 1, id="above"), pytest.param(5, -1, id="below"), pytest.param(4, 0, id="equal")],
)
def test_right_answers_that_score_alike_are_as_close_as_can_be(wrong: int, closeness: float) -> None:
    scores = {"p": Scores([4, 4], [wrong])}
    assert ties(scores, scores).closeness == closeness


def test_ties_need_both_kinds_of_prompts() -> None:
    with pytest.raises(ValueError, match="found none"):
        ties({"a": Scores([1], [0])}, {"b": Scores([1, 1], [0])})
