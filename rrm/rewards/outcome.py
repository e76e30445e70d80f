"""A scored answer: the same numbers on every path, so that they can be averaged without looking.

Three zeros are kept apart: a wrong answer earns little, an unreadable one earns the minimum and is counted by
its kind, a missing label is counted as such.
"""

import math
from dataclasses import asdict, dataclass

from rrm.reasoning import ReasoningRule
from rrm.rewards.payment import INVALID, pay
from rrm.scales import Scale
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict, parse_verdict
from rrm_api.spec_data import Reward


@dataclass(frozen=True)
class Outcome:
    """Numbers about one answer; flags are 0 or 1.

    Attributes:
        score: Reward in [0, 1].
        acc: Exact match.
        accuracy: The same under upstream's name.
        abs_err: |prediction - label| on the scale.
        prediction: Score that was read; of an unreadable answer the worst one for its label.
        label: Truth; NaN if missing.
        parse_ok: Whether a score was read.
        truncated: Whether the answer ended at the length limit or inside a tag.
        missing: No score tag.
        out_of_range: Score outside the scale.
        not_integer: Score that is no whole number.
        ambiguous: Tags left open, closed twice or nested.
        label_missing: No usable label.
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

    def as_metrics(self) -> dict[str, float]:
        """Return all numbers by name."""
        return asdict(self)


def score_answer(
    text: str,
    label: float | None,
    *,
    scale: Scale,
    reward: Reward,
    reasoning: ReasoningRule,
    is_cut: bool = False,
) -> Outcome:
    """Return the outcome of what a judge wrote.

    Args:
        text: The judge's answer without special tokens.
        label: Truth on the scale; None, NaN or off the scale counts as missing and earns the minimum.
        scale: Range of scores and labels.
        reward: How a valid prediction is paid.
        reasoning: Which reasoning precedes the score.
        is_cut: Whether the token ids show that the length limit ended the answer.

    >>> from rrm.reasoning import RULES
    >>> from rrm_api.spec_data import ExponentialReward
    >>> paid = Reward(exponential=ExponentialReward())
    >>> rule = RULES["None"]
    >>> right = score_answer("<score>3</score>", 3, scale=Scale(0, 4), reward=paid, reasoning=rule)
    >>> right.score, right.acc, right.parse_ok
    (1.0, 1.0, 1.0)
    >>> off = score_answer("<score>9</score>", 0, scale=Scale(0, 4), reward=paid, reasoning=rule)
    >>> off.score, off.abs_err, off.out_of_range
    (0.0, 4.0, 1.0)
    """
    verdict = parse_verdict(text, scale, reasoning, is_cut=is_cut)
    return outcome_of(verdict, label, scale=scale, reward=reward, is_cut=is_cut)


def outcome_of(
    verdict: Verdict | ParseFailure, label: float | None, *, scale: Scale, reward: Reward, is_cut: bool
) -> Outcome:
    """Return the outcome of an answer that was read; arguments as for `score_answer`."""
    has_label = label is not None and math.isfinite(label) and label in scale
    truth = float(label) if has_label and label is not None else math.nan
    prediction = _prediction(verdict, truth, scale)
    is_read = isinstance(verdict, Verdict)
    kind = verdict.kind if isinstance(verdict, ParseFailure) else None
    exact = float(is_read and prediction == truth)
    return Outcome(
        score=pay(prediction, truth, scale=scale, reward=reward) if is_read and has_label else INVALID,
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
    )


def _prediction(verdict: Verdict | ParseFailure, label: float, scale: Scale) -> float:
    if isinstance(verdict, Verdict):
        return float(verdict.score)
    return float(scale.low if math.isnan(label) else scale.worst_for(label))
