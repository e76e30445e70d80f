"""The rewards that know right and wrong only."""


def exact(prediction: float, label: float) -> float:
    """Return 1 for the very label, else 0; dimensionless.

    >>> exact(3, 3), exact(2, 3)
    (1.0, 0.0)
    """
    return float(prediction == label)


def signed(prediction: float, label: float) -> float:
    """Return 1 for the very label, else -1; dimensionless. Source: RM-R1's correctness reward.

    >>> signed(3, 3), signed(2, 3)
    (1.0, -1.0)
    """
    return 1.0 if prediction == label else -1.0
