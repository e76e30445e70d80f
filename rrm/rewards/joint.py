"""Both orders of one pair: a judge that looks at the place of an answer is paid less than one that reads."""

from dataclasses import replace

from rrm.rewards.outcome import Outcome
from rrm_api.spec_data import Reward

_MEANS = ("acc", "accuracy", "abs_err")
_OF_EITHER = (
    "truncated",
    "missing",
    "out_of_range",
    "not_integer",
    "ambiguous",
    "label_missing",
    "reward_error",
)
"""Faults: one order that has it is enough."""


def joint_reward(first: float, second: float, *, is_right_twice: bool, weight: float) -> float:
    """Return (1 - w) * mean of the rewards in both orders + w * [right in both orders].

    Result in [0, 1], dimensionless, for rewards in [0, 1]; two full rewards give exactly 1 for any weight,
    two of the minimum 0 give exactly 0.

    >>> joint_reward(1, 1, is_right_twice=True, weight=0.25)
    1.0
    >>> joint_reward(1, 0, is_right_twice=False, weight=0.25)
    0.375
    """
    return (1 - weight) * (first + second) / 2 + weight * is_right_twice


def joint_outcome(first: Outcome, second: Outcome, *, reward: Reward) -> Outcome:
    """Return the outcome of judging a pair in both orders.

    `prediction`, `label` and `strength` are those of the first order; `acc`, `accuracy` and `abs_err` are
    means over both. Flags stay 0 or 1: `parse_ok` where both were read, a fault where either has it,
    `swap_consistent` where both verdicts name the same answer (or a tie).

    Args:
        first: Outcome of the answers as A and B.
        second: Outcome of the same answers as B and A, with its own label.
        reward: A pairwise reward; its `swapConsistencyWeight` is the share that only two right verdicts earn.

    Raises:
        ValueError: If the reward is of another kind.
    """
    if reward.pairwise is None:
        raise ValueError("only spec.reward.pairwise judges a pair in both orders, found another kind")
    score = joint_reward(
        first.score,
        second.score,
        is_right_twice=first.acc == second.acc == 1,
        weight=float(reward.pairwise.swap_consistency_weight),
    )
    is_read = first.parse_ok == second.parse_ok == 1
    means = {name: (getattr(first, name) + getattr(second, name)) / 2 for name in _MEANS}
    faults = {name: max(getattr(first, name), getattr(second, name)) for name in _OF_EITHER}
    consistent = float(is_read and first.prediction == -second.prediction)
    flags = {**faults, "parse_ok": float(is_read), "swap_consistent": consistent}
    return replace(first, **means, **flags, score=score)
