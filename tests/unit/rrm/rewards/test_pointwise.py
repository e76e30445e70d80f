"""Rewards of a score, on every scale: they fall with the distance, and a failure never pays."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.rewards import Outcome, minimum_of
from rrm.rewards.exponential import exponential
from rrm.rewards.payment import pay
from rrm.scales import Scale
from rrm_api.spec_data import ExactReward, ExponentialReward, LinearReward, Reward, SignedReward

SCALES = (Scale(0, 4), Scale(1, 5), Scale(0, 1), Scale(1, 10), Scale(-1, 1))
KINDS: dict[str, dict[str, object]] = {
    "exponential": {"exponential": ExponentialReward()},
    "slow exponential": {"exponential": ExponentialReward(k="0.5")},
    "linear": {"linear": LinearReward()},
    "exact": {"exact": ExactReward()},
    "signed": {"signed": SignedReward()},
}
WEIGHTS = ("0", "0.2", "1")
REWARDS = {
    f"{name}, format {weight}": Reward.model_validate(kind | {"format_weight": weight})
    for name, kind in KINDS.items()
    for weight in WEIGHTS
}
UNREADABLE = [
    "",
    "3",
    "<score>3",
    "<score>11</score>",
    "<score>-2</score>",
    "<score>0.5</score>",
    "<score>x</score>",
]
Score = Callable[..., Outcome]
by_name = pytest.mark.parametrize("name", REWARDS)


@by_name
@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: f"{scale.low} to {scale.high}")
def test_the_worst_earns_at_least_what_a_failure_does(name: str, scale: Scale, score: Score) -> None:
    reward = REWARDS[name]
    for label in scale.values:
        worst = min(
            score(f"<score>{p}</score>", label, reward=reward, scale=scale).score for p in scale.values
        )
        for text in UNREADABLE:
            failed = score(text, label, reward=reward, scale=scale)
            assert failed.score == minimum_of(reward) <= worst
            assert (failed.parse_ok, failed.acc) == (0, 0)
            assert failed.abs_err == max(label - scale.low, scale.high - label)


@by_name
@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: f"{scale.low} to {scale.high}")
def test_right_earns_one_and_the_mirrored_cell_the_same(name: str, scale: Scale) -> None:
    reward = REWARDS[name]
    for label in scale.values:
        for said in scale.values:
            earned = pay(said, label, scale=scale, reward=reward)
            mirror = pay(
                scale.low + scale.high - said, scale.low + scale.high - label, scale=scale, reward=reward
            )
            assert earned == pytest.approx(mirror)
            assert earned == pytest.approx(1) if said == label else earned <= 1


@given(name=st.sampled_from(list(REWARDS)), scale=st.sampled_from(SCALES), data=st.data())
def test_less_error_never_pays_less(name: str, scale: Scale, data: st.DataObject) -> None:
    reward = REWARDS[name]
    label, near, far = (data.draw(st.sampled_from(scale.values)) for _ in range(3))
    if abs(near - label) > abs(far - label):
        near, far = far, near
    closer, farther = (pay(said, label, scale=scale, reward=reward) for said in (near, far))
    assert minimum_of(reward) <= farther <= closer <= 1
    if reward.format_weight != "1" and (reward.exponential or reward.linear):
        assert (farther < closer) == (abs(far - label) > abs(near - label))


@given(st.floats(0, 1), st.sampled_from(list(KINDS)), st.integers(0, 4), st.integers(0, 4))
def test_the_format_weight_never_turns_wrong_into_right(
    share: float, kind: str, said: int, label: int
) -> None:
    weight = f"{share:.6f}"
    plain = pay(said, label, scale=SCALES[0], reward=Reward.model_validate(KINDS[kind]))
    weighted = pay(
        said, label, scale=SCALES[0], reward=Reward.model_validate(KINDS[kind] | {"format_weight": weight})
    )
    assert weighted == pytest.approx(float(weight) + (1 - float(weight)) * plain)
    assert plain - 1e-9 <= weighted <= 1 + 1e-9


def test_the_published_decay_is_the_default() -> None:
    assert exponential(0, 4, scale=SCALES[0]) == pytest.approx(math.exp(-2))


def test_only_the_signed_reward_goes_below_zero() -> None:
    assert {name for name, reward in REWARDS.items() if minimum_of(reward) != 0} == {
        f"signed, format {weight}" for weight in WEIGHTS
    }
    assert minimum_of(REWARDS["signed, format 1"]) == -1
    assert minimum_of(Reward(entry_point="mine:pay")) == 0
