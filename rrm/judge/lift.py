"""Lift: how far a trained judge is above the best of what it is compared with, and how sure that is.

Every statistic is a function of how often each prompt was drawn, so one bootstrap over whole prompts serves
means, kappa and rank correlation alike; the best reference is chosen anew in each draw.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rrm.judge.agreement import Floats, Integers
from rrm.scales import Scale

BASE: Final = "untrained model"
RESAMPLES: Final = 2000
_INTERVAL: Final = (2.5, 97.5)
_ELEMENTS: Final = 4_000_000
"""Most numbers of one block of draws by rows: 32 MB."""
_NAMES: Final = {
    BASE: f"the {BASE}",
    "uniform": "guessing uniformly",
    "label-shares": "guessing by the label shares",
    "always-first": "always the first answer",
    "always-second": "always the second answer",
    "always-tie": "always a tie",
    "longer-wins": "preferring the longer answer",
    "shorter-wins": "preferring the shorter answer",
    "length-rule": "a rule on length alone",
    "surface-ridge": "a ridge on surface features",
    "blind": "any blind guess",
}

Statistic = Callable[[Floats], Floats]
"""(draws, prompts) times each prompt was drawn -> (draws,) values of the metric."""


@dataclass(frozen=True)
class Lift:
    """Trained minus the best reference in one metric, on the same rows.

    Attributes:
        value: Difference, in units of the metric.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        reference: What it was compared with: the best of untrained model and floors.
        verdict: One line for people; within two standard errors of zero nothing is claimed.
        metric: Which metric.
        error: Standard error of the value; infinite with a single prompt.
    """

    value: float
    low: float
    high: float
    reference: str
    verdict: str
    metric: str = "reward"
    error: float = 0.0

    @property
    def is_learning(self) -> bool:
        """Whether the value is above zero by more than two standard errors, and the interval not below."""
        return self.value > 2 * self.error and self.low >= 0


def lift_of(
    metric: str,
    trained: Statistic,
    references: Mapping[str, Statistic],
    *,
    prompts: int,
    seed: int,
    resamples: int = RESAMPLES,
) -> Lift:
    """Return the lift of a metric over the best reference.

    Args:
        metric: Its name.
        trained: The trained judge's statistic.
        references: Those of what it is compared with; at least one.
        prompts: How many prompts the statistics are functions of.
        seed: Seed of the draws.
        resamples: Number of draws.
    """
    sides = (trained, *references.values())
    once = np.ones((1, prompts))
    seen = np.array([side(once)[0] for side in sides])
    best = int(seen[1:].argmax())
    value, reference = float(seen[0] - seen[1 + best]), list(references)[best]
    chances = np.full(prompts, 1 / prompts)
    times = np.random.default_rng(seed).multinomial(prompts, chances, size=resamples).astype(np.float64)
    drawn = np.array([side(times) for side in sides])
    lifts = drawn[0] - drawn[1:].max(axis=0)
    low, high = (float(end) for end in np.percentile(lifts, _INTERVAL))
    # Draws of one prompt are all alike: that shows no certainty, but that nothing is known of it.
    error = float(lifts.std()) if prompts > 1 else math.inf
    return Lift(value, low, high, reference, verdict_on(value, error, reference, low=low), metric, error)


def mean_of(values: npt.ArrayLike, groups: Integers, prompts: int) -> Statistic:
    """Return the mean of values as a statistic; 0 where a draw holds none of them.

    Args:
        values: Any numbers.
        groups: Index of each one's prompt.
        prompts: How many prompts there are.

    >>> mean_of([1, 0, 0], np.array([0, 0, 1]), 2)(np.array([[1., 1.], [2., 0.]])).round(3).tolist()
    [0.333, 0.5]
    """
    sums = np.bincount(groups, weights=np.asarray(values, dtype=np.float64), minlength=prompts)
    counts = np.bincount(groups, minlength=prompts)

    def statistic(times: Floats) -> Floats:
        return _ratio(times @ sums, times @ counts)

    return statistic


def kappa_of(
    labels: Integers, predictions: Integers, groups: Integers, *, prompts: int, scale: Scale
) -> Statistic:
    """Return the quadratic weighted kappa as a statistic; 0 where a draw leaves it undefined."""
    size = scale.range + 1
    tables = np.zeros((prompts, size, size))  # (prompt, label, prediction)
    np.add.at(tables, (groups, labels - scale.low, predictions - scale.low), 1)
    steps = np.arange(size)
    weights = (steps[:, None] - steps[None, :]) ** 2

    def statistic(times: Floats) -> Floats:
        observed = np.tensordot(times, tables, axes=1)  # (draws, label, prediction)
        total = np.maximum(observed.sum(axis=(1, 2)), 1)[:, None, None]  # no rows drawn: 0 / 1, not 0 / 0
        expected = observed.sum(axis=2)[:, :, None] * observed.sum(axis=1)[:, None, :] / total
        chance = (weights * expected).sum(axis=(1, 2))
        agreed = chance - (weights * observed).sum(axis=(1, 2))
        return _ratio(agreed, chance)

    return statistic


def spearman_of(labels: npt.ArrayLike, predictions: npt.ArrayLike, groups: Integers) -> Statistic:
    """Return the rank correlation as a statistic, ties sharing their mean rank; 0 if a side is constant."""
    sides = [np.unique(np.asarray(side), return_inverse=True)[1] for side in (labels, predictions)]
    block = max(1, _ELEMENTS // len(groups))

    def statistic(times: Floats) -> Floats:
        blocks = [times[i : i + block] for i in range(0, len(times), block)]
        return np.concatenate([_spearman(drawn[:, groups], sides[0], sides[1]) for drawn in blocks])

    return statistic


def verdict_on(value: float, error: float, reference: str, *, low: float = 0.0) -> str:
    """Return what a lift means; within two standard errors of zero nothing is claimed.

    The interval may reach below zero beyond them: each draw chooses the best reference anew.

    >>> verdict_on(0.03, 0.02, "constant-3")
    'NOT LEARNING (within two standard errors of the best constant)'
    """
    than = "the best constant" if reference.startswith("constant-") else _NAMES.get(reference, reference)
    if value < 0:
        return f"NOT LEARNING (below {than})"
    if not value > 2 * error:  # so that no number is no proof
        return f"NOT LEARNING (within two standard errors of {than})"
    if not low >= 0:
        return f"NOT LEARNING (the interval reaches below {than})"
    return f"LEARNING (above {than})"


def _spearman(weights: Floats, first: Integers, second: Integers) -> Floats:
    """Return the weighted correlation of mean ranks by draw; weights (draws, rows), ranks by category."""
    total = weights.sum(axis=1, keepdims=True)
    a, b = (_centred_ranks(weights, side) for side in (first, second))
    covariance = (weights * a * b).sum(axis=1)
    norm = np.sqrt((weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1))
    # Below this the ranks of a side differ by rounding only: it is constant.
    return _ratio(covariance, np.where(norm > 1e-9 * total[:, 0], norm, 0.0))


def _centred_ranks(weights: Floats, categories: Integers) -> Floats:
    """Return each row's mean rank minus the mean of all ranks, (draws, rows)."""
    order = np.argsort(categories, kind="stable")
    starts = np.flatnonzero(np.diff(categories[order], prepend=-1))
    counts = np.add.reduceat(weights[:, order], starts, axis=1)  # (draws, categories)
    ranks = np.cumsum(counts, axis=1) - counts / 2  # without + 0.5: it cancels below
    return np.asarray(ranks[:, categories] - counts.sum(axis=1, keepdims=True) / 2)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)
