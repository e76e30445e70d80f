"""The reward of naming the better of two answers."""

from rrm_api.spec_data import PairwiseReward, TiePolicy


def pairwise(prediction: float, label: float, *, rule: PairwiseReward, strength: float = 1.0) -> float:
    """Return m * (1 - s + s * strength), where s is the strength weight and m says how right the verdict is.

    m is 1 for the label, and 0 for any other verdict; with the tie policy `Half` it is 1/2 where one of both
    is a tie. Result in [0, 1], dimensionless; a clear preference named rightly earns exactly 1. The factor is
    the same for every verdict on one pair, so right earns at least what half does and half what wrong does.

    Args:
        prediction: -1 = A, 0 = tie, +1 = B.
        label: Truth, likewise.
        rule: Tie policy and strength weight.
        strength: How clear the preference is, in [0, 1]; 1 where the source does not say.

    Raises:
        ValueError: If the strength is outside [0, 1].

    >>> rule = PairwiseReward(tie_policy="Half", strength_weight="0.5")
    >>> [pairwise(p, -1, rule=rule) for p in (-1, 0, 1)]
    [1.0, 0.5, 0.0]
    >>> [pairwise(p, -1, rule=rule, strength=0.5) for p in (-1, 0, 1)]
    [0.75, 0.375, 0.0]
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"the strength of a preference lies in [0, 1], found {strength}")
    weight = float(rule.strength_weight)
    return _rightness(prediction, label, rule.tie_policy) * (1 - weight + weight * strength)


def _rightness(prediction: float, label: float, policy: TiePolicy) -> float:
    if prediction == label:
        return 1.0
    has_tie = prediction == 0 or label == 0
    return 0.5 if has_tie and policy is TiePolicy.HALF else 0.0
