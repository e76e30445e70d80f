"""The bootstrap's statistics agree with plain metrics on rows that were really repeated."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.judge.agreement import quadratic_weighted_kappa, spearman
from rrm.judge.lift import BASE, Lift, kappa_of, lift_of, mean_of, spearman_of, verdict_on
from rrm.scales import Scale

SCALE = Scale(1, 5)
PROMPTS = 4
ANSWERS = st.lists(
    st.tuples(st.integers(0, PROMPTS - 1), st.integers(1, 5), st.integers(1, 5), st.floats(0, 1)),
    min_size=1,
    max_size=40,
)
TIMES = st.lists(st.integers(0, 3), min_size=PROMPTS, max_size=PROMPTS).filter(any)


@given(ANSWERS, TIMES)
def test_a_prompt_drawn_twice_counts_as_if_its_rows_were_there_twice(
    answers: list[tuple[int, int, int, float]], times: list[int]
) -> None:
    groups, labels, said, real = (np.array(side) for side in zip(*answers, strict=True))
    repeated = np.repeat(np.arange(len(answers)), np.array(times)[groups])
    drawn = np.array([times, [1] * PROMPTS], dtype=np.float64)
    kappa = kappa_of(labels, said, groups, prompts=PROMPTS, scale=SCALE)(drawn)
    rank, ranks = spearman_of(labels, said, groups)(drawn), spearman_of(labels, real, groups)(drawn)
    mean = mean_of(real, groups, PROMPTS)(drawn)
    assert kappa[1] == pytest.approx(quadratic_weighted_kappa(labels, said, SCALE), abs=1e-9)
    assert ranks[1] == pytest.approx(spearman(labels, real), abs=1e-9)
    assert mean[1] == pytest.approx(real.mean())
    if not len(repeated):
        assert (kappa[0], rank[0], ranks[0], mean[0]) == (0, 0, 0, 0)
        return
    labels, said, real = labels[repeated], said[repeated], real[repeated]
    assert kappa[0] == pytest.approx(quadratic_weighted_kappa(labels, said, SCALE), abs=1e-9)
    assert rank[0] == pytest.approx(spearman(labels, said), abs=1e-9)
    assert ranks[0] == pytest.approx(spearman(labels, real), abs=1e-9)
    assert mean[0] == pytest.approx(real.mean())


def test_many_draws_of_many_rows_are_done_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(1)
    labels, said = chance.integers(0, 5, 60), chance.integers(0, 5, 60)
    groups, drawn = np.arange(60) // 2, chance.integers(0, 3, (25, 30)).astype(float)
    whole = spearman_of(labels, said, groups)(drawn)
    monkeypatch.setattr("rrm.judge.lift._ELEMENTS", 200)
    assert spearman_of(labels, said, groups)(drawn) == pytest.approx(whole)
    monkeypatch.setattr("rrm.judge.lift._ELEMENTS", 1)
    assert spearman_of(labels, said, groups)(drawn) == pytest.approx(whole)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Means of 40 prompts, 200 times: 95 % intervals around a true difference of 0.5 hold it in most."""
    chance, groups, covered, errors = np.random.default_rng(7), np.arange(40), 0, []
    for seed in range(200):
        ours, theirs = chance.normal(0.5, 1, 40), chance.normal(0, 1, 40)
        found = lift_of(
            "x",
            mean_of(ours, groups, 40),
            {"rival": mean_of(theirs, groups, 40)},
            prompts=40,
            seed=seed,
            resamples=200,
        )
        covered += found.low <= 0.5 <= found.high
        errors.append(found.error)
    assert 0.90 <= covered / 200 <= 0.97
    assert np.mean(errors) == pytest.approx((2 / 40) ** 0.5, rel=0.05)


def test_the_reference_is_the_best_one_and_names_its_metric() -> None:
    groups = np.arange(20)
    sides = {"worst": [0.0] * 20, "best": [0.6] * 20, "middle": [0.3] * 20}
    references = {name: mean_of(values, groups, 20) for name, values in sides.items()}
    found = lift_of("spearman", mean_of([1.0] * 20, groups, 20), references, prompts=20, seed=1)
    assert (found.value, found.low, found.high) == pytest.approx((0.4, 0.4, 0.4))
    assert found.error == pytest.approx(0, abs=1e-9)
    assert (found.reference, found.verdict, found.metric) == ("best", "LEARNING (above best)", "spearman")
    assert found.is_learning


def test_the_reference_is_chosen_anew_in_each_draw() -> None:
    """Two equal noisy rivals: the better of both is above either, so the lift is lower on average."""
    chance = random.Random(5)
    noise = [[chance.gauss(0, 1) for _ in range(50)] for _ in range(3)]
    groups = np.arange(50)
    ours, first, second = (mean_of(np.array(side) - np.mean(side), groups, 50) for side in noise)
    one = lift_of("x", ours, {"a": first}, prompts=50, seed=1)
    both = lift_of("x", ours, {"a": first, "b": second}, prompts=50, seed=1)
    assert both.value == pytest.approx(one.value, abs=1e-9)
    assert both.low + both.high < one.low + one.high - 0.05


@pytest.mark.parametrize(
    ("value", "error", "reference", "verdict"),
    [
        (-0.001, 1.0, "constant-3", "NOT LEARNING (below the best constant)"),
        (0.0, 0.0, BASE, "NOT LEARNING (within two standard errors of the untrained model)"),
        (0.2, 0.1, "uniform", "NOT LEARNING (within two standard errors of guessing uniformly)"),
        (0.201, 0.1, "surface-ridge", "LEARNING (above a ridge on surface features)"),
        (1.0, 0.1, "longer-wins", "LEARNING (above preferring the longer answer)"),
        (1.0, 0.1, "blind", "LEARNING (above any blind guess)"),
        (1.0, 0.1, "a friend", "LEARNING (above a friend)"),
    ],
)
def test_verdicts_say_what_the_lift_means(value: float, error: float, reference: str, verdict: str) -> None:
    assert verdict_on(value, error, reference) == verdict
    assert Lift(value, 0, 0, reference, verdict, "x", error).is_learning == verdict.startswith("LEARNING")


def test_one_prompt_proves_nothing() -> None:
    one = {name: mean_of([value], np.array([0]), 1) for name, value in (("ours", 1.0), ("base", 0.0))}
    found = lift_of("reward", one["ours"], {BASE: one["base"]}, prompts=1, seed=1)
    assert (found.value, found.is_learning) == (1.0, False)
    assert found.verdict == "NOT LEARNING (within two standard errors of the untrained model)"


def test_no_verdict_stands_beside_an_interval_that_contradicts_it() -> None:
    """Among many references that are equally good the best of a draw is better than each on its own rows."""
    dice = np.random.default_rng(1)
    groups = np.arange(40)
    ours = mean_of(dice.normal(0.42, 0.5, 40), groups, 40)
    rivals = {f"r{i}": mean_of(dice.normal(0, 1, 40), groups, 40) for i in range(30)}
    is_refused = False
    for shift in np.arange(0, 1, 0.02):
        found = lift_of("x", lambda times, by=shift: ours(times) + by, rivals, prompts=40, seed=1)
        assert found.is_learning == found.verdict.startswith("LEARNING")
        assert not (found.is_learning and found.low < 0)
        is_refused |= found.value > 2 * found.error and found.low < 0
    assert is_refused, "two standard errors alone would have claimed it"
    assert verdict_on(0.3, 0.1, "uniform", low=-0.01) == (
        "NOT LEARNING (the interval reaches below guessing uniformly)"
    )
