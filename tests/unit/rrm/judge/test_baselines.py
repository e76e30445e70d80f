"""Floors and lift: what guessing earns, and whether a judge earns more than that for certain."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.judge.baselines import BASE, Floor, Lift, fit_floors, floors_by_row, lift, score_floors
from rrm.judge.metrics import ScoredRow
from rrm.rewards.joint import joint_reward
from rrm.rewards.payment import pay
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import ExponentialReward, LinearReward, PairwiseReward, Reward

SCALE = Scale(0, 4)
GUESSES = ("label-shares", "uniform")
EXPONENTIAL = Reward(exponential=ExponentialReward())
LABELS = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=50)


def answered(labels: list[int], predict, samples: int = 1) -> list[ScoredRow]:  # type: ignore[no-untyped-def]
    """Rows of a judge; two rows share a prompt, as in HelpSteer2."""
    rows = []
    for number, label in enumerate(labels):
        for _ in range(samples):
            prediction = predict(label)
            reward = pay(prediction, label, scale=SCALE, reward=EXPONENTIAL)
            rows.append(ScoredRow(f"r{number}", f"g{number // 2}", label, prediction, reward, True))
    return rows


def lifted(labels: list[int], trained: list[ScoredRow], base: list[ScoredRow]) -> Lift:
    floors = fit_floors([float(label) for label in labels], scale=SCALE, reward=EXPONENTIAL)
    return lift(trained, base, floors_by_row(floors, trained, scale=SCALE, reward=EXPONENTIAL))


def test_published_shares_give_the_published_floors() -> None:
    """HelpSteer2 helpfulness, train: constant 3 and 4 earn .667, shares .598, uniform .518."""
    labels = [0.0] * 79 + [1.0] * 96 + [2.0] * 120 + [3.0] * 289 + [4.0] * 415
    floors = fit_floors(labels, scale=SCALE, reward=EXPONENTIAL)
    scores = score_floors(floors, labels, scale=SCALE, reward=EXPONENTIAL)
    assert list(scores) in (["constant-3", *GUESSES], ["constant-4", *GUESSES])  # they earn the same
    assert [round(value, 3) for value in scores.values()] == [0.667, 0.598, 0.518]


def test_the_constant_is_chosen_on_training_labels_not_on_validation() -> None:
    floors = fit_floors([0.0, 0.0, 1.0], scale=SCALE, reward=EXPONENTIAL)
    assert floors[0].name == "constant-0"
    assert score_floors(floors, [4.0], scale=SCALE, reward=EXPONENTIAL)["constant-0"] == pytest.approx(
        0.1353, abs=1e-4
    )


@given(LABELS)
def test_on_its_own_labels_no_floor_beats_the_constant(labels: list[float]) -> None:
    for reward in (EXPONENTIAL, Reward(linear=LinearReward())):
        floors = fit_floors(labels, scale=SCALE, reward=reward)
        scores = list(score_floors(floors, labels, scale=SCALE, reward=reward).values())
        assert scores[0] >= max(scores[1:]) - 1e-9
        assert all(sum(floor.shares) == pytest.approx(1) for floor in floors)


def test_a_judge_that_knows_the_labels_is_learning() -> None:
    labels = [random.Random(1).choice(range(5)) for _ in range(64)] + [0, 4] * 20
    result = lifted(labels, answered(labels, lambda label: label), answered(labels, lambda _: 2))
    assert result.verdict.startswith("LEARNING (above ")
    assert 0 < result.low < result.value < result.high


def test_a_judge_worse_than_always_the_same_answer_is_not_learning() -> None:
    labels = [2] * 50 + [1] * 14
    result = lifted(labels, answered(labels, lambda _: 0), answered(labels, lambda _: 4))
    assert result.verdict == "NOT LEARNING (below the best constant)"
    assert (result.reference, result.value < 0) == ("constant-2", True)


def test_a_judge_that_found_the_constant_has_learned_nothing_yet() -> None:
    labels = [2] * 50 + [1] * 14
    result = lifted(labels, answered(labels, lambda _: 2), answered(labels, lambda _: 4))
    assert result.value == pytest.approx(0)
    assert result.verdict == "NOT LEARNING (within two standard errors of the best constant)"


def test_the_untrained_model_can_be_the_one_to_beat() -> None:
    labels = [0, 1, 2, 3, 4] * 12
    result = lifted(labels, answered(labels, lambda _: 2), answered(labels, lambda label: label))
    assert (result.reference, result.verdict) == (BASE, "NOT LEARNING (below the untrained model)")


def test_several_answers_to_a_row_are_one_row() -> None:
    labels = [0, 1, 2, 3, 4] * 12
    base = answered(labels, lambda _: 2)
    once = lifted(labels, answered(labels, lambda label: label), base)
    often = lifted(labels, answered(labels, lambda label: label, samples=4), base)
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))


def test_rows_of_one_prompt_widen_the_interval() -> None:
    chance = random.Random(3)
    labels = [label for _ in range(40) for label in [chance.choice((0, 4))] * 2]  # siblings agree
    trained, base = answered(labels, lambda label: label if label else 2), answered(labels, lambda _: 2)
    apart = [ScoredRow(r.row_id, r.row_id, r.label, r.prediction, r.reward, r.parse_ok) for r in trained]
    together, separate = lifted(labels, trained, base), lifted(labels, apart, base)
    assert together.value == pytest.approx(separate.value)
    assert together.high - together.low > 1.2 * (separate.high - separate.low)


def test_lift_refuses_different_rows() -> None:
    rows = answered([1, 2, 3], lambda _: 2)
    with pytest.raises(ValueError, match="1 rows were answered by one side only"):
        lift(rows, rows[:2], {})


def test_the_same_seed_gives_the_same_interval() -> None:
    labels = [0, 1, 2, 3, 4] * 12
    rows = answered(labels, lambda label: min(4, label + 1)), answered(labels, lambda _: 2)
    assert lifted(labels, *rows) == lifted(labels, *rows)


def test_of_pairs_each_constant_is_a_floor() -> None:
    reward = Reward(pairwise=PairwiseReward())
    floors = fit_floors([-1.0, -1.0, 0.0, 1.0], scale=PREFERENCE, reward=reward)
    scores = score_floors(floors, [-1.0, 1.0, 1.0, 1.0], scale=PREFERENCE, reward=reward)
    assert scores == pytest.approx(
        {
            "always-first": 0.25,
            "always-tie": 0.0,
            "always-second": 0.75,
            "label-shares": (0.5 + 3 * 0.25) / 4,
            "uniform": 1 / 3,
        }
    )


@pytest.mark.parametrize("verdict", [-1, 0, 1])
@pytest.mark.parametrize("label", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("weight", ["0", "0.3", "1"])
def test_a_blind_floor_is_paid_for_both_orders_as_a_judge_is(verdict: int, label: float, weight: str) -> None:
    reward = Reward(pairwise=PairwiseReward(swap_consistency_weight=weight))
    floor = Floor("x", tuple(float(value == verdict) for value in PREFERENCE.values))
    first, second = (pay(verdict, side, scale=PREFERENCE, reward=reward) for side in (label, -label))
    is_twice = verdict == label == -label
    joint = joint_reward(first, second, is_right_twice=is_twice, weight=float(weight))
    expected = joint if float(weight) else first
    assert floor.reward(label, scale=PREFERENCE, reward=reward) == pytest.approx(expected)


def test_two_blind_draws_are_right_twice_by_the_product_of_their_chances() -> None:
    reward = Reward(pairwise=PairwiseReward(swap_consistency_weight="0.5"))
    floor = Floor("x", (0.6, 0.1, 0.3))
    earned = floor.reward(-1.0, scale=PREFERENCE, reward=reward)
    assert earned == pytest.approx(0.5 * (0.6 + 0.3) / 2 + 0.5 * 0.6 * 0.3)


def test_a_faint_preference_pays_a_floor_less() -> None:
    reward = Reward(pairwise=PairwiseReward(strength_weight="0.5"))
    rows = [ScoredRow("r", "g", -1.0, -1.0, 1.0, True, strength=0.2)]
    earned = floors_by_row([Floor("always-first", (1.0, 0.0, 0.0))], rows, scale=PREFERENCE, reward=reward)
    assert earned == {"always-first": {"r": pytest.approx(0.6)}}


def test_the_mean_of_a_floor_is_that_of_its_rows_whatever_their_strengths() -> None:
    reward = Reward(pairwise=PairwiseReward(strength_weight="0.5"))
    labels, strengths = [-1.0, 1.0, -1.0, 0.0], [1.0, 1 / 3, 0.2, 0.0]
    floors = fit_floors(labels, scale=PREFERENCE, reward=reward)
    means = score_floors(floors, labels, scale=PREFERENCE, reward=reward, strengths=strengths)
    rows = [
        ScoredRow(f"r{n}", "g", label, label, 0.0, True, strength=strength)
        for n, (label, strength) in enumerate(zip(labels, strengths, strict=True))
    ]
    by_row = floors_by_row(floors, rows, scale=PREFERENCE, reward=reward)
    assert means == pytest.approx({name: sum(paid.values()) / 4 for name, paid in by_row.items()})
    assert means["always-first"] == pytest.approx((1.0 + 0.6) / 4)


def test_a_users_own_reward_has_no_floors() -> None:
    assert fit_floors([1.0], scale=SCALE, reward=Reward(entry_point="mine:reward")) == ()
