"""A scored answer: the same numbers on every path, so that they can be averaged without looking.

Three zeros are kept apart: a wrong answer earns little, an unreadable one earns the minimum and is counted by
its kind, a missing label is counted as such.
"""

import math
from dataclasses import asdict, dataclass

from rrm.rewards.payment import minimum_of, pay, require_built_in
from rrm.scales import Scale
from rrm.templates import Template
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict
from rrm_api.spec_data import Reward


@dataclass(frozen=True)
class Outcome:
    """Numbers about one answer; flags are 0 or 1.

    Attributes:
        score: Reward, in [`minimum_of(reward)`, 1]; a user's own reward pays what it likes.
        acc: Exact match; of a pair in both orders the mean of both, so 0.5 where one was right.
        accuracy: The same under upstream's name.
        abs_err: |prediction - label| on the scale.
        prediction: Score that was read; of an unreadable answer the worst one for its label.
        label: Truth; NaN if missing.
        parse_ok: Whether a score was read.
        truncated: Whether the answer ended at the length limit or inside a tag.
        missing: No tag with a verdict.
        out_of_range: Score outside the scale, or a tag that names neither answer nor a tie.
        not_integer: Score that is no whole number.
        ambiguous: Tags left open, closed twice, nested or crossed.
        label_missing: No usable label.
        strength: How clear the preference is, in [0, 1]; 1 for single answers.
        swap_consistent: Whether both orders of a pair named the same answer; 0 where one order was judged.
        reward_error: Whether the user's reward raised.
    """

    score: float
    acc: float
    accuracy: float
    abs_err: float
    prediction: float
    label: float
    parse_ok: float
    truncated: float
    missing: float
    out_of_range: float
    not_integer: float
    ambiguous: float
    label_missing: float
    strength: float
    swap_consistent: float = 0.0
    reward_error: float = 0.0

    def as_metrics(self) -> dict[str, float]:
        """Return all numbers by name."""
        return asdict(self)


def score_answer(
    text: str,
    label: float | None,
    *,
    template: Template,
    scale: Scale,
    reward: Reward,
    strength: float = 1.0,
    is_cut: bool = False,
) -> Outcome:
    """Return the outcome of what a judge wrote.

    Args:
        text: The judge's answer without special tokens.
        label: Truth on the scale; None, NaN or off the scale counts as missing and earns the minimum.
        template: What asked the judge; it reads the answer.
        scale: Range of verdicts and labels; `scales.PREFERENCE` for a pair.
        reward: How a valid prediction is paid.
        strength: How clear the preference of a pair is, in [0, 1].
        is_cut: Whether the token ids show that the length limit ended the answer.

    Raises:
        ValueError: If the reward is a user's function (`rrm.plugins.rewards.UserReward` scores those), or the
            strength is outside [0, 1].

    >>> from rrm.reasoning import RULES
    >>> from rrm.templates.pointwise import PointwiseTemplate
    >>> from rrm_api.spec_data import ExponentialReward
    >>> scale, paid = Scale(0, 4), Reward(exponential=ExponentialReward())
    >>> asked = PointwiseTemplate(label="helpfulness", scale=scale, reasoning=RULES["None"])
    >>> right = score_answer("<score>3</score>", 3, template=asked, scale=scale, reward=paid)
    >>> right.score, right.acc, right.parse_ok
    (1.0, 1.0, 1.0)
    >>> off = score_answer("<score>9</score>", 0, template=asked, scale=scale, reward=paid)
    >>> off.score, off.abs_err, off.out_of_range
    (0.0, 4.0, 1.0)
    """
    require_built_in(reward)
    verdict = template.parse(text, is_cut=is_cut)
    return outcome_of(verdict, label, scale=scale, reward=reward, strength=strength, is_cut=is_cut)


def outcome_of(
    verdict: Verdict | ParseFailure,
    label: float | None,
    *,
    scale: Scale,
    reward: Reward,
    strength: float = 1.0,
    is_cut: bool = False,
    earned: float | None = None,
) -> Outcome:
    """Return the outcome of an answer that was read; arguments as for `score_answer`.

    `earned` is what a user's reward paid; None = what `reward` pays, its minimum without verdict or label.
    """
    if isinstance(verdict, Verdict) and verdict.score not in scale:
        verdict = ParseFailure(FailureKind.OUT_OF_RANGE)  # a user's template may read what it likes
    has_label = label is not None and label in scale  # NaN is on no scale
    truth = float(label) if has_label and label is not None else math.nan
    prediction = _prediction(verdict, truth, scale)
    is_read = isinstance(verdict, Verdict)
    kind = None if isinstance(verdict, Verdict) else verdict.kind
    if earned is None and is_read and has_label:
        earned = pay(prediction, truth, scale=scale, reward=reward, strength=strength)
    exact = float(is_read and prediction == truth)
    return Outcome(
        score=minimum_of(reward) if earned is None else earned,
        acc=exact,
        accuracy=exact,
        abs_err=abs(prediction - truth) if has_label else float(scale.range),
        prediction=prediction,
        label=truth,
        parse_ok=float(is_read),
        truncated=float(is_cut or kind is FailureKind.TRUNCATED),
        missing=float(kind is FailureKind.MISSING),
        out_of_range=float(kind is FailureKind.OUT_OF_RANGE),
        not_integer=float(kind is FailureKind.NOT_INTEGER),
        ambiguous=float(kind is FailureKind.AMBIGUOUS),
        label_missing=float(not has_label),
        strength=float(strength),
    )


def _prediction(verdict: Verdict | ParseFailure, label: float, scale: Scale) -> float:
    if isinstance(verdict, Verdict):
        return float(verdict.score)
    return float(scale.low if math.isnan(label) else scale.worst_for(label))
