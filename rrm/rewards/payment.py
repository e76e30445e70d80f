"""What a valid prediction earns under `spec.reward`, and what an answer earns that cannot be read."""

from rrm.rewards.exact import exact, signed
from rrm.rewards.exponential import exponential
from rrm.rewards.linear import linear
from rrm.rewards.pairwise import pairwise
from rrm.scales import Scale
from rrm_api.spec_data import Reward


def minimum_of(reward: Reward) -> float:
    """Return the least a reward pays: what an unreadable answer earns, never more than the worst valid one.

    The format weight does not raise it. Of a user's own reward the least is unknown; 0 stands for it.

    >>> from rrm_api.spec_data import LinearReward, SignedReward
    >>> minimum_of(Reward(linear=LinearReward()))
    0.0
    >>> minimum_of(Reward(signed=SignedReward(), format_weight="0.5"))
    -1.0
    """
    return 0.0 if reward.signed is None else -1.0


def pay(prediction: float, label: float, *, scale: Scale, reward: Reward, strength: float = 1.0) -> float:
    """Return what a valid prediction earns, in [`minimum_of(reward)`, 1].

    The format weight w is earned by being readable alone: w + (1 - w) * reward of the prediction.

    Args:
        prediction: Score that was read, on the scale.
        label: Truth, on the scale.
        scale: Range of both; `scales.PREFERENCE` for a pair.
        reward: Kind and weights.
        strength: How clear the preference of a pair is, in [0, 1]; other kinds do not look at it.

    Raises:
        ValueError: If the reward is a user's function, or the strength is outside [0, 1].

    >>> from rrm_api.spec_data import LinearReward
    >>> pay(0, 4, scale=Scale(0, 4), reward=Reward(linear=LinearReward(), format_weight="0.1"))
    0.1
    """
    weight = float(reward.format_weight)
    return weight + (1 - weight) * _earned(prediction, label, scale=scale, reward=reward, strength=strength)


def _earned(prediction: float, label: float, *, scale: Scale, reward: Reward, strength: float) -> float:
    if reward.exponential is not None:
        return exponential(prediction, label, scale=scale, k=float(reward.exponential.k))
    if reward.linear is not None:
        return linear(prediction, label, scale=scale)
    if reward.exact is not None:
        return exact(prediction, label)
    if reward.signed is not None:
        return signed(prediction, label)
    if reward.pairwise is not None:
        return pairwise(prediction, label, rule=reward.pairwise, strength=strength)
    raise _pays_by_itself(reward)


def require_built_in(reward: Reward) -> None:
    """Refuse a user's function, which needs more than a prediction.

    Raises:
        ValueError: If the reward is one.
    """
    if reward.entry_point is not None:
        raise _pays_by_itself(reward)


def _pays_by_itself(reward: Reward) -> ValueError:
    return ValueError(
        f"spec.reward.entryPoint {reward.entry_point} pays by itself: expected exponential, linear, exact, "
        "signed or pairwise; score a user's reward with rrm.plugins.rewards.UserReward"
    )
