"""A scored answer: every path has the same keys, and the three zeros stay apart."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.reasoning import RULES
from rrm.rewards import Outcome, minimum_of, score_answer
from rrm.rewards.outcome import outcome_of
from rrm.scales import Scale
from rrm.templates.pointwise import PointwiseTemplate
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict
from rrm_api.spec_data import ExponentialReward, LinearReward, PairwiseReward, Reward, SignedReward
from rrm_api.spec_train import Reasoning

SCALE = Scale(0, 4)
EXPONENTIAL, LINEAR = Reward(exponential=ExponentialReward()), Reward(linear=LinearReward())
SIGNED, PAIRWISE = Reward(signed=SignedReward(), format_weight="0.3"), Reward(pairwise=PairwiseReward())
KEYS = [
    "score",
    "acc",
    "accuracy",
    "abs_err",
    "prediction",
    "label",
    "parse_ok",
    "truncated",
    "missing",
    "out_of_range",
    "not_integer",
    "ambiguous",
    "label_missing",
    "strength",
    "swap_consistent",
    "reward_error",
]
PAYS_BY_ITSELF = (
    r"^spec\.reward\.entryPoint mine:pay pays by itself: expected exponential, linear, exact, signed or "
    r"pairwise; score a user's reward with rrm\.plugins\.rewards\.UserReward$"
)
Score = Callable[..., Outcome]


def test_the_exponential_reward_has_the_published_numbers(score: Score) -> None:
    earned = [round(score(f"<score>{p}</score>", 0, reward=EXPONENTIAL).score, 4) for p in range(5)]
    assert earned == [1.0, 0.6065, 0.3679, 0.2231, 0.1353]


@given(
    st.text(),
    st.one_of(st.none(), st.floats(), st.integers(-2, 6).map(float)),
    st.booleans(),
    st.sampled_from([EXPONENTIAL, LINEAR, SIGNED, PAIRWISE]),
)
def test_every_path_returns_the_same_keys(
    score: Score, text: str, label: float | None, is_cut: bool, reward: Reward
) -> None:
    metrics = score(text, label, reward=reward, is_cut=is_cut).as_metrics()
    assert list(metrics) == KEYS
    assert all(isinstance(value, float) for value in metrics.values())
    assert minimum_of(reward) <= metrics["score"] <= 1


def test_all_numbers_of_a_right_a_wrong_and_an_unreadable_answer(score: Score) -> None:
    assert score("<score>4</score>", 3, reward=LINEAR).as_metrics() == dict(
        zip(KEYS, [0.75, 0, 0, 1, 4, 3, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0], strict=True)
    )
    assert score("<score>3</score>", 3, reward=LINEAR).as_metrics() == dict(
        zip(KEYS, [1, 1, 1, 0, 3, 3, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0], strict=True)
    )
    assert score("<score>9</score>", 3, reward=LINEAR).as_metrics() == dict(
        zip(KEYS, [0, 0, 0, 3, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0], strict=True)
    )
    assert score("<better>A</better>", 1, reward=PAIRWISE, strength=0.5).as_metrics() == dict(
        zip(KEYS, [0, 0, 0, 2, -1, 1, 1, 0, 0, 0, 0, 0, 0, 0.5, 0, 0], strict=True)
    )


@pytest.mark.parametrize("label", [None, math.nan, math.inf, 9, -1], ids=str)
@pytest.mark.parametrize(("reward", "least"), [(EXPONENTIAL, 0), (SIGNED, -1)], ids=["exponential", "signed"])
def test_a_missing_label_pays_the_minimum_and_is_counted(
    label: float | None, reward: Reward, least: float, score: Score
) -> None:
    outcome = score("<score>1</score>", label, reward=reward)
    assert (outcome.score, outcome.label_missing, outcome.acc, outcome.parse_ok) == (least, 1, 0, 1)
    assert (outcome.abs_err, outcome.prediction) == (4, 1)
    assert math.isnan(outcome.label)
    unread = score("", label, reward=reward)
    assert (unread.score, unread.abs_err, unread.prediction, unread.label_missing) == (least, 4, 0, 1)


def test_each_kind_of_failure_has_its_own_counter(score: Score) -> None:
    names = ("missing", "truncated", "out_of_range", "not_integer", "ambiguous")
    texts = ("", "<score>3", "<score>9</score>", "<score>x</score>", "<score>1</score></score>")
    for name, text in zip(names, texts, strict=True):
        metrics = score(text, 2, reward=EXPONENTIAL).as_metrics()
        assert {other: metrics[other] for other in names} == {other: float(other == name) for other in names}


def test_a_cut_answer_is_counted_even_if_it_could_be_read(score: Score) -> None:
    outcome = score("<score>3</score> and", 3, reward=EXPONENTIAL, is_cut=True)
    assert (outcome.truncated, outcome.parse_ok, outcome.score) == (1, 1, 1)


def test_the_template_reads_the_answer_and_is_told_whether_it_was_cut() -> None:
    template = PointwiseTemplate(label="x", scale=SCALE, reasoning=RULES[Reasoning.NATIVE])
    text = "thinking <score>4</score>"
    whole, cut = (
        score_answer(text, 4, template=template, scale=SCALE, reward=LINEAR, is_cut=is_cut)
        for is_cut in (False, True)
    )
    assert (whole.parse_ok, whole.truncated, whole.score) == (1, 0, 1)
    assert (cut.parse_ok, cut.truncated, cut.score) == (0, 1, 0)


@pytest.mark.parametrize("said", [5, -1, math.nan, math.inf])
def test_a_users_template_cannot_leave_the_scale(said: float) -> None:
    outcome = outcome_of(Verdict(said), 4, scale=SCALE, reward=LINEAR)  # type: ignore[arg-type]
    assert (outcome.score, outcome.parse_ok, outcome.out_of_range, outcome.prediction) == (0, 0, 1, 0)


def test_what_a_users_reward_paid_is_the_score() -> None:
    own = Reward(entry_point="mine:pay")
    assert outcome_of(Verdict(4), 4, scale=SCALE, reward=own, earned=7.5).score == 7.5
    unread = outcome_of(ParseFailure(FailureKind.MISSING), 4, scale=SCALE, reward=own, earned=0.25)
    assert (unread.score, unread.missing) == (0.25, 1)
    assert outcome_of(ParseFailure(FailureKind.MISSING), 4, scale=SCALE, reward=own).score == 0


def test_a_users_reward_is_not_paid_here(score: Score) -> None:
    own = Reward(entry_point="mine:pay")
    for text in ("", "<score>3</score>"):
        with pytest.raises(ValueError, match=PAYS_BY_ITSELF):
            score(text, 3, reward=own)
    with pytest.raises(ValueError, match="mine:pay pays by itself"):
        outcome_of(Verdict(4), 4, scale=SCALE, reward=own)


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_a_strength_lies_between_nothing_and_all(strength: float, score: Score) -> None:
    with pytest.raises(ValueError, match=r"lies in \[0, 1\], found"):
        score("<better>A</better>", 1, reward=PAIRWISE, strength=strength)
