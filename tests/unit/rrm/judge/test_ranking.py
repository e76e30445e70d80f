"""Lift in rank correlation, kappa and untied accuracy, over base and floors."""

import random

import pytest

from rrm.judge.baselines import BASE, Floor
from rrm.judge.metrics import ScoredRow, judge_metrics
from rrm.judge.ranking import BLIND, References, rank_lifts
from rrm.judge.surface import Guess
from rrm.scales import PREFERENCE, Scale

SCALE = Scale(0, 4)


def judged(labels: list[int], said: list[float]) -> list[ScoredRow]:
    return [
        ScoredRow(f"r{i}", f"g{i // 2}", label, prediction, 0.0, True)
        for i, (label, prediction) in enumerate(zip(labels, said, strict=True))
    ]


def guesses(name: str, scores: list[float], verdicts: list[int]) -> dict[str, dict[str, Guess]]:
    said = zip(scores, verdicts, strict=True)
    return {
        name: {f"r{i}": Guess(name, f"r{i}", score, verdict, 0.0) for i, (score, verdict) in enumerate(said)}
    }


@pytest.fixture
def labels() -> list[int]:
    chance = random.Random(1)
    return [chance.randrange(5) for _ in range(80)]


def test_values_are_differences_of_the_metrics(labels: list[int]) -> None:
    chance = random.Random(2)
    trained = judged(labels, [max(0, min(4, label + chance.choice((-1, 0, 1)))) for label in labels])
    base = judged(labels, [max(0, min(4, label + chance.choice((-3, 0, 3)))) for label in labels])
    ours, theirs = judge_metrics(trained, SCALE), judge_metrics(base, SCALE)
    lifts = rank_lifts(trained, base, References(), scale=SCALE)
    assert [lift.metric for lift in lifts] == ["spearman", "qwk"]
    for lift in lifts:
        assert lift.value == pytest.approx(ours[lift.metric] - theirs[lift.metric])
        assert lift.reference == BASE
        assert lift.low < lift.value < lift.high
        assert lift.verdict == "LEARNING (above the untrained model)"


def test_a_judge_that_only_found_the_constant_ranks_nothing(labels: list[int]) -> None:
    trained, base = judged(labels, [3] * 80), judged(labels, [4 - label for label in labels])
    for lift in rank_lifts(trained, base, References(), scale=SCALE):
        assert (lift.reference, lift.value) == (BLIND, 0)
        assert lift.verdict == "NOT LEARNING (within two standard errors of any blind guess)"


def test_scores_rank_and_verdicts_agree(labels: list[int]) -> None:
    """A floor whose score is the label itself and whose verdict is always 2 is unbeaten in rank alone."""
    floor = guesses("surface-ridge", [float(label) for label in labels], [2] * 80)
    trained, base = judged(labels, [label // 2 for label in labels]), judged(labels, [2] * 80)
    rank, kappa = rank_lifts(trained, base, References(guesses=floor), scale=SCALE)
    assert (rank.reference, rank.value < 0) == ("surface-ridge", True)
    assert (kappa.reference, kappa.value > 0) == (BASE, True)


def test_each_of_several_answers_counts_and_floors_answer_once(labels: list[int]) -> None:
    trained, base = judged(labels, [float(label) for label in labels]), judged(labels, [2] * 80)
    floor = guesses("length-rule", [float(label % 2) for label in labels], [label % 2 for label in labels])
    once = rank_lifts(trained, base, References(guesses=floor), scale=SCALE)
    often = rank_lifts(trained * 3, base * 2, References(guesses=floor), scale=SCALE)
    for a, b in zip(once, often, strict=True):
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_labels_between_whole_numbers_are_rounded_for_kappa_alone() -> None:
    labels = [0.4, 1.4, 2.4, 3.4]
    rows = [ScoredRow(f"r{i}", f"g{i}", label, round(label), 0, True) for i, label in enumerate(labels)]
    base = [ScoredRow(f"r{i}", f"g{i}", label, 2, 0, True) for i, label in enumerate(labels)]
    rank, kappa = rank_lifts(rows, base, References(), scale=SCALE, resamples=50)
    assert (rank.value, kappa.value) == (pytest.approx(1), pytest.approx(1))


def pairs() -> tuple[list[int], list[ScoredRow], list[ScoredRow]]:
    labels = [-1] * 30 + [1] * 20 + [0] * 30
    return labels, judged(labels, [label or 1 for label in labels]), judged(labels, [0] * 80)


def test_pairs_are_measured_where_people_did_not_tie() -> None:
    """Always-first hits the 30 of 50 whose first answer is better."""
    _, trained, base = pairs()
    floors = (Floor("always-first", (1.0, 0.0, 0.0)), Floor("uniform", (1 / 3, 1 / 3, 1 / 3)))
    (lift,) = rank_lifts(trained, base, References(floors), scale=PREFERENCE)
    assert (lift.metric, lift.reference) == ("accuracy_untied", "always-first")
    assert lift.value == pytest.approx(1 - 30 / 50)
    assert lift.verdict == "LEARNING (above always the first answer)"


def test_a_surface_floor_of_pairs_can_be_the_one_to_beat() -> None:
    labels, trained, base = pairs()
    floor = guesses(
        "longer-wins", [0.0] * 80, [label if i % 10 else -label for i, label in enumerate(labels)]
    )
    (lift,) = rank_lifts(trained, base, References(guesses=floor), scale=PREFERENCE)
    assert (lift.reference, lift.value) == ("longer-wins", pytest.approx(5 / 50))


def test_a_base_of_pairs_can_be_the_one_to_beat() -> None:
    labels, trained, base = pairs()
    (lift,) = rank_lifts(base, trained, References(), scale=PREFERENCE)
    assert (lift.reference, lift.value) == (BASE, pytest.approx(-1))
    assert len(labels) == 80


def test_pairs_that_all_tie_have_no_lift_to_measure() -> None:
    rows = judged([0] * 4, [0] * 4)
    assert rank_lifts(rows, rows, References(), scale=PREFERENCE) == ()
