"""What a valid prediction earns under `spec.reward`."""

from rrm.rewards.exponential import exponential
from rrm.rewards.linear import linear
from rrm.scales import Scale
from rrm_api.spec_data import Reward

INVALID = 0.0
"""What an answer earns that cannot be read: the reward's minimum, never more than the worst valid answer."""


def pay(prediction: float, label: float, *, scale: Scale, reward: Reward) -> float:
    """Return what a valid prediction earns, in [0, 1].

    The format weight w is earned by being readable alone: w + (1 - w) * reward of the distance.

    >>> from rrm_api.spec_data import LinearReward
    >>> pay(0, 4, scale=Scale(0, 4), reward=Reward(linear=LinearReward(), format_weight="0.1"))
    0.1
    """
    weight = float(reward.format_weight)
    if reward.exponential is not None:
        earned = exponential(prediction, label, scale=scale, k=float(reward.exponential.k))
    else:
        earned = linear(prediction, label, scale=scale)
    return weight + (1 - weight) * earned
