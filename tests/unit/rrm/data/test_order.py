"""Order leakage: the sign test, and which pairs are turned round."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from rrm.data.order import SIGNIFICANCE, examine, sign_test
from rrm.data.rows import Kept, Names


def pair(number: int, label: float, order: str = "") -> Kept:
    names = Names(row=f"{number}{order}", pair=f"pair {number}", turned=f"{number} turned")
    return Kept(names, f"group {number}", label, 1.0, 0, "pairs", 10, 10, 0)


def pairs(first: int, second: int, ties: int = 0) -> list[Kept]:
    labels = [-1.0] * first + [1.0] * second + [0.0] * ties
    return [pair(number, label) for number, label in enumerate(labels)]


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_sign_test_is_the_exact_binomial_test(wins: int, losses: int) -> None:
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_test(wins, wins + losses) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("wins", "trials"), [(200_000, 200_000), (101_000, 200_000), (100_100, 200_000)])
def test_many_pairs_are_counted_exactly_too(wins: int, trials: int) -> None:
    assert sign_test(wins, trials) == pytest.approx(binomtest(wins, trials).pvalue, rel=1e-7, abs=1e-300)


@pytest.mark.parametrize("winner", ["first", "second"])
def test_a_part_where_one_place_always_wins_is_made_even(winner: str) -> None:
    rows = pairs(100, 0, ties=7) if winner == "first" else pairs(0, 100, ties=7)
    order = examine(rows, seed=1)
    assert (order.pairs, len(order.turned)) == (100, 50)
    assert (order.before, order.after) == (1.0 if winner == "first" else 0.0, 0.5)
    assert order.p_value < 1e-20


def test_chance_is_not_corrected() -> None:
    order = examine(pairs(55, 45), seed=1)
    assert order.p_value > SIGNIFICANCE
    assert (order.turned, order.before, order.after) == (frozenset(), 0.55, 0.55)


def test_pairs_in_both_orders_are_even_already_and_stay() -> None:
    both = [row for n in range(40) for row in (pair(n, -1.0), pair(n, 1.0, "'"))]
    alone = [pair(n, -1.0) for n in range(40, 80)]
    order = examine(both + alone, seed=1)
    assert (order.before, order.after) == (80 / 120, 0.5)
    assert len(order.turned) == 20
    assert order.turned <= {row.names.pair for row in alone}


def test_a_source_is_not_hidden_by_the_others() -> None:
    """A hundred pairs whose first answer always wins: among many even ones, and beside their opposite."""
    first, second = pairs(100, 0), [replace(pair(n, 1.0), source=1) for n in range(100, 200)]
    even = [replace(pair(n, -1.0 if n % 2 else 1.0), source=1) for n in range(1000, 11_000)]
    assert examine(even, seed=1).turned == frozenset()
    for others, turned in ((even, 50), (second, 100)):
        order = examine([*first, *others], seed=1)
        assert len(order.turned) == turned
        assert order.after == 0.5
        assert order.p_value < 1e-20


def test_without_pairs_or_with_ties_alone_there_is_nothing_to_turn() -> None:
    for rows in ([], pairs(0, 0, ties=5)):
        order = examine(rows, seed=1)
        assert (order.turned, order.before, order.after, order.p_value) == (frozenset(), 0.5, 0.5, 1.0)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 1000), st.randoms())
def test_which_pairs_are_turned_depends_on_names_and_seed_alone(first, second, seed, random) -> None:  # type: ignore[no-untyped-def]
    rows = pairs(first, second)
    order = examine(rows, seed=seed)
    random.shuffle(rows)
    assert examine(rows, seed=seed) == order
    flipped = [replace(row, label=-row.label) if row.names.pair in order.turned else row for row in rows]
    assert sum(row.label < 0 for row in flipped) == order.first_wins_after
    assert examine(flipped, seed=seed).turned == frozenset()
