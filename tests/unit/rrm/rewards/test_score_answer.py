"""Rewards: monotone, within [0, 1], and a failure never pays more than the worst valid answer."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.reasoning import RULES
from rrm.rewards import Outcome, score_answer
from rrm.scales import Scale
from rrm_api.spec_data import ExponentialReward, LinearReward, Reward
from rrm_api.spec_train import Reasoning

NONE = RULES[Reasoning.NONE]
SCALES = (Scale(0, 4), Scale(1, 5), Scale(0, 1), Scale(1, 10))
EXPONENTIAL, LINEAR = Reward(exponential=ExponentialReward()), Reward(linear=LinearReward())
REWARDS = (EXPONENTIAL, LINEAR, Reward(exponential=ExponentialReward(k="0.5"), format_weight="0.2"))
UNREADABLE = [
    "",
    "3",
    "<score>3",
    "<score>9</score>",
    "<score>-1</score>",
    "<score>3.5</score>",
    "<score>x</score>",
]


def scored(text: str, label: float | None, scale: Scale = SCALES[0], reward: Reward = EXPONENTIAL) -> Outcome:
    return score_answer(text, label, scale=scale, reward=reward, reasoning=NONE)


def test_the_exponential_reward_has_the_published_numbers() -> None:
    earned = [round(scored(f"<score>{p}</score>", 0).score, 4) for p in range(5)]
    assert earned == [1.0, 0.6065, 0.3679, 0.2231, 0.1353]


@pytest.mark.parametrize(("label", "prediction"), list(product(range(5), range(5))))
@pytest.mark.parametrize("reward", REWARDS, ids=["exponential", "linear", "weighted"])
def test_every_cell_pays_by_distance_alone(label: int, prediction: int, reward: Reward) -> None:
    outcome = scored(f"<score>{prediction}</score>", label, reward=reward)
    mirrored = scored(f"<score>{4 - prediction}</score>", 4 - label, reward=reward)
    assert outcome.score == pytest.approx(mirrored.score)
    assert outcome.acc == outcome.accuracy == float(label == prediction)
    assert outcome.abs_err == abs(label - prediction)
    assert (outcome.score == 1) == (label == prediction)


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("reward", REWARDS, ids=["exponential", "linear", "weighted"])
@pytest.mark.parametrize("text", UNREADABLE)
def test_a_failure_earns_at_most_the_worst_valid_answer(text: str, reward: Reward, scale: Scale) -> None:
    if text == "<score>9</score>" and 9 in scale:
        text = "<score>11</score>"
    for label in scale.values:
        worst = min(scored(f"<score>{p}</score>", label, scale, reward).score for p in scale.values)
        failed = scored(text, label, scale, reward)
        assert failed.score <= worst
        assert failed.score == 0
        assert (failed.parse_ok, failed.acc) == (0, 0)
        assert failed.abs_err == max(label - scale.low, scale.high - label)


@given(
    scale=st.sampled_from(SCALES),
    reward=st.sampled_from(REWARDS),
    data=st.data(),
)
def test_less_error_never_pays_less(scale: Scale, reward: Reward, data: st.DataObject) -> None:
    label, near, far = (data.draw(st.sampled_from(scale.values)) for _ in range(3))
    if abs(near - label) > abs(far - label):
        near, far = far, near
    closer = scored(f"<score>{near}</score>", label, scale, reward).score
    farther = scored(f"<score>{far}</score>", label, scale, reward).score
    assert 0 <= farther <= closer <= 1
    assert (farther < closer) == (abs(far - label) > abs(near - label))


@given(st.text(), st.one_of(st.none(), st.floats(), st.integers(-2, 6).map(float)), st.booleans())
def test_every_path_returns_the_same_keys(text: str, label: float | None, is_cut: bool) -> None:
    metrics = score_answer(
        text, label, scale=SCALES[0], reward=EXPONENTIAL, reasoning=NONE, is_cut=is_cut
    ).as_metrics()
    assert metrics.keys() == scored("<score>3</score>", 3).as_metrics().keys()
    assert all(isinstance(value, float) for value in metrics.values())
    assert 0 <= metrics["score"] <= 1


@pytest.mark.parametrize("label", [None, math.nan, 9, -1], ids=str)
def test_a_missing_label_pays_nothing_and_is_counted(label: float | None) -> None:
    outcome = scored("<score>0</score>", label)
    assert (outcome.score, outcome.label_missing, outcome.acc, outcome.parse_ok) == (0, 1, 0, 1)


def test_each_kind_of_failure_has_its_own_counter() -> None:
    names = ("missing", "truncated", "out_of_range", "not_integer", "ambiguous")
    texts = ("", "<score>3", "<score>9</score>", "<score>x</score>", "<score>1</score></score>")
    for name, text in zip(names, texts, strict=True):
        metrics = scored(text, 2).as_metrics()
        assert {other: metrics[other] for other in names} == {other: float(other == name) for other in names}


def test_a_cut_answer_is_counted_even_if_it_could_be_read() -> None:
    outcome = score_answer(
        "<score>3</score> and", 3, scale=SCALES[0], reward=EXPONENTIAL, reasoning=NONE, is_cut=True
    )
    assert (outcome.truncated, outcome.parse_ok, outcome.score) == (1, 1, 1)
