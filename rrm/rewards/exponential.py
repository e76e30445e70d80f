"""The exponential reward of RM-Gallery's pointwise recipe, for any scale."""

import math

from rrm.scales import Scale


def exponential(prediction: float, label: float, *, scale: Scale, k: float = 2.0) -> float:
    """Return exp(-k * |prediction - label| / range of the scale).

    Result in [exp(-k), 1], dimensionless, for arguments on the scale; equal scores give exactly 1. The decay
    `k` is per full scale. Source: RM-Gallery's pointwise reward, exp(-2 * e / 4) on 0 to 4.

    >>> [round(exponential(p, 0, scale=Scale(0, 4)), 4) for p in range(5)]
    [1.0, 0.6065, 0.3679, 0.2231, 0.1353]
    >>> round(exponential(1, 5, scale=Scale(1, 5)), 4)
    0.1353
    """
    return math.exp(-k * abs(prediction - label) / scale.range)
