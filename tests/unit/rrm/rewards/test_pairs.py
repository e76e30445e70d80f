"""Rewards of a preference: tie policy, strength, and both orders of one pair."""

import math
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.rewards import Outcome, joint_outcome, minimum_of
from rrm.rewards.outcome import outcome_of
from rrm.rewards.pairwise import pairwise
from rrm.rewards.payment import pay
from rrm.scales import PREFERENCE
from rrm.templates.verdict import Verdict
from rrm_api.spec_data import LinearReward, PairwiseReward, Reward, TiePolicy

NAMES = {-1: "A", 0: "tie", 1: "B"}
UNREADABLE = [
    "",
    "A",
    "<better>A",
    "<better>C</better>",
    "<better>A</better></better>",
    "Response A is better",
]
Score = Callable[..., Outcome]

verdicts = st.sampled_from([-1, 0, 1])
shares = st.integers(0, 20).map(lambda part: f"{part / 20:g}")
rules = st.builds(PairwiseReward, tie_policy=st.sampled_from(TiePolicy), strength_weight=shares)
rewards = st.builds(Reward, pairwise=rules, format_weight=shares)


def weighing(weight: str, **rule: object) -> Reward:
    return Reward.model_validate({"pairwise": rule | {"swap_consistency_weight": weight}})


def said(verdict: int) -> str:
    return f"<better>{NAMES[verdict]}</better>"


@given(label=verdicts, rule=rules, strength=st.floats(0, 1))
def test_right_earns_at_least_half_and_half_at_least_wrong(
    label: int, rule: PairwiseReward, strength: float
) -> None:
    factor = 1 - float(rule.strength_weight) * (1 - strength)
    earned = {said: pairwise(said, label, rule=rule, strength=strength) for said in NAMES}
    for verdict, value in earned.items():
        is_half = rule.tie_policy is TiePolicy.HALF and 0 in (verdict, label)
        share = 1.0 if verdict == label else 0.5 if is_half else 0.0
        assert value == pytest.approx(share * factor)
    assert all(0 <= value <= earned[label] <= 1 for value in earned.values())


@given(rule=rules, weak=st.floats(0, 1), strong=st.floats(0, 1), label=verdicts, verdict=verdicts)
def test_a_clearer_preference_never_pays_less(
    rule: PairwiseReward, weak: float, strong: float, label: int, verdict: int
) -> None:
    weak, strong = sorted((weak, strong))
    paid = [pairwise(verdict, label, rule=rule, strength=strength) for strength in (weak, strong)]
    assert paid[0] <= paid[1]
    assert pairwise(label, label, rule=rule, strength=1) == 1


def test_a_preference_is_clear_unless_the_source_says_otherwise() -> None:
    rule = PairwiseReward(strength_weight="0.5")
    assert pairwise(1, 1, rule=rule) == 1
    assert pay(1, 1, scale=PREFERENCE, reward=Reward(pairwise=rule)) == 1
    outcome = outcome_of(Verdict(1), 1, scale=PREFERENCE, reward=Reward(pairwise=rule))
    assert (outcome.score, outcome.strength, outcome.truncated) == (1, 1, 0)


@given(reward=rewards, label=verdicts, verdict=verdicts, strength=st.floats(0, 1))
def test_the_other_order_pays_the_same(
    score: Score, reward: Reward, label: int, verdict: int, strength: float
) -> None:
    there = score(said(verdict), label, reward=reward, strength=strength)
    back = score(said(-verdict), -label, reward=reward, strength=strength)
    turned = replace(back, prediction=-back.prediction + 0.0, label=-back.label + 0.0)
    assert turned == there


@given(reward=rewards, label=verdicts, strength=st.floats(0, 1), text=st.sampled_from(UNREADABLE))
def test_a_failure_earns_at_most_the_worst_valid_answer(
    score: Score, reward: Reward, label: int, strength: float, text: str
) -> None:
    failed = score(text, label, reward=reward, strength=strength).score
    worst = min(score(said(verdict), label, reward=reward, strength=strength).score for verdict in NAMES)
    assert failed == minimum_of(reward) == 0 <= worst


@pytest.mark.parametrize(
    ("first", "second", "earned", "consistent"),
    [("A", "B", 1.0, 1), ("A", "A", 0.375, 0), ("B", "B", 0.375, 0), ("B", "A", 0.0, 1)],
    ids=["right twice", "right, wrong", "wrong, right", "wrong twice"],
)
def test_the_four_cells_of_right_and_wrong(
    first: str, second: str, earned: float, consistent: float, score: Score
) -> None:
    """A is better; in the other order it is shown as B."""
    reward = weighing("0.25")
    outcomes = [
        score(f"<better>{name}</better>", label, reward=reward) for name, label in ((first, -1), (second, 1))
    ]
    both = joint_outcome(*outcomes, reward=reward)
    rights = [outcome.acc for outcome in outcomes]
    assert (both.score, both.swap_consistent) == (earned, consistent)
    assert both.acc == both.accuracy == sum(rights) / 2
    assert (both.prediction, both.label, both.parse_ok) == (outcomes[0].prediction, -1, 1)
    assert both.abs_err == 2 - 2 * both.acc


@pytest.mark.parametrize("weight", ["0", "0.4", "1"])
def test_a_tie_can_be_right_twice_and_half_is_not_right(weight: str, score: Score) -> None:
    reward, share = weighing(weight, tie_policy="Half"), float(weight)
    tie, tied = (score(said(0), label, reward=reward) for label in (0, -1))
    assert joint_outcome(tie, tie, reward=reward).score == 1
    assert joint_outcome(tie, tie, reward=reward).swap_consistent == 1
    halves = joint_outcome(tied, score(said(0), 1, reward=reward), reward=reward)
    assert halves.score == pytest.approx((1 - share) / 2)
    assert (halves.swap_consistent, halves.acc) == (1, 0)


def test_both_rewards_of_a_weak_pair_are_weighed_before_the_bonus(score: Score) -> None:
    reward = weighing("0.2", strength_weight="0.5")
    there, back = (score(said(label), label, reward=reward, strength=0.5) for label in (-1, 1))
    assert joint_outcome(there, back, reward=reward).score == pytest.approx(0.8 * 0.75 + 0.2)
    assert joint_outcome(there, back, reward=reward).strength == 0.5


def test_an_answer_to_one_order_that_cannot_be_read_spoils_the_consistency(score: Score) -> None:
    reward = weighing("0.5")
    read = score(said(-1), -1, reward=reward)
    cut = score("<better>B", 1, reward=reward, is_cut=True)  # of an unreadable answer the worst is assumed: A
    for both in (joint_outcome(read, cut, reward=reward), joint_outcome(cut, read, reward=reward)):
        assert (both.score, both.swap_consistent) == (0.25, 0)
        assert (both.parse_ok, both.truncated, both.acc) == (0, 1, 0.5)
    nothing = joint_outcome(cut, replace(cut, prediction=1.0), reward=reward)
    assert (nothing.score, nothing.swap_consistent, nothing.parse_ok, nothing.truncated) == (0, 0, 0, 1)


def test_a_joint_outcome_without_a_label_pays_the_minimum(score: Score) -> None:
    reward = weighing("0.5")
    lone = score(said(-1), None, reward=reward)
    both = joint_outcome(lone, lone, reward=reward)
    assert (both.score, both.label_missing, both.swap_consistent) == (0, 1, 0)
    assert math.isnan(both.label)


def test_a_joint_outcome_has_the_keys_of_a_single_one(score: Score) -> None:
    reward = weighing("0.5")
    one = score(said(-1), -1, reward=reward)
    metrics = joint_outcome(one, one, reward=reward).as_metrics()
    assert list(metrics) == [field.name for field in fields(Outcome)]
    assert all(isinstance(value, float) for value in metrics.values())


def test_a_failing_users_reward_shows(score: Score) -> None:
    reward = weighing("0.5")
    one = score(said(-1), -1, reward=reward)
    assert joint_outcome(one, replace(one, reward_error=1.0), reward=reward).reward_error == 1


@given(
    weight=shares,
    policy=st.sampled_from(TiePolicy),
    strength=st.floats(0, 1),
    answers=st.tuples(*[st.sampled_from([*map(said, NAMES), *UNREADABLE])] * 2),
)
def test_a_better_pair_of_answers_never_earns_less(
    score: Score, weight: str, policy: TiePolicy, strength: float, answers: tuple[str, str]
) -> None:
    reward = weighing(weight, tie_policy=policy)

    def joint(first: str, second: str) -> float:
        there = score(first, -1, reward=reward, strength=strength)
        return joint_outcome(there, score(second, 1, reward=reward, strength=strength), reward=reward).score

    earned = joint(*answers)
    assert 0 <= earned <= 1 + 1e-12
    for better in (joint(said(-1), answers[1]), joint(answers[0], said(1))):
        assert better >= earned - 1e-12
    for text, verdict in product(UNREADABLE, NAMES):
        assert joint(text, answers[1]) <= joint(said(verdict), answers[1])


def test_only_a_pairwise_reward_has_two_orders(score: Score) -> None:
    reward = Reward(linear=LinearReward())
    one = score("<score>1</score>", 1, reward=reward)
    with pytest.raises(
        ValueError, match=r"^only spec\.reward\.pairwise judges a pair in both orders, found another kind$"
    ):
        joint_outcome(one, one, reward=reward)
