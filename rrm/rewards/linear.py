"""The linear reward, for any scale."""

from rrm.scales import Scale


def linear(prediction: float, label: float, *, scale: Scale) -> float:
    """Return 1 - |prediction - label| / range of the scale.

    Result in [0, 1], dimensionless, for arguments on the scale; equal scores give exactly 1.

    >>> [linear(p, 0, scale=Scale(0, 4)) for p in range(5)]
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """
    return 1 - abs(prediction - label) / scale.range
