"""How well predictions agree with labels, beyond hitting them: kappa, rank correlation, histograms.

Pure numpy; labels and predictions are whole numbers on the scale unless said otherwise.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rrm.scales import Scale

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Histograms:
    """How labels and predictions are spread, and which meets which.

    Attributes:
        values: The scale, ascending.
        labels: Answers by label.
        predictions: Answers by prediction; an unreadable one counts as the worst for its label.
        confusion: Answers by label (rows) and prediction (columns).
    """

    values: tuple[int, ...]
    labels: tuple[int, ...]
    predictions: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]


def confusion_matrix(labels: Integers, predictions: Integers, scale: Scale) -> Integers:
    """Return how often each label (row) met each prediction (column), shape (values, values).

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([1, 1, 1]), Scale(0, 1)).tolist()
    [[0, 1], [0, 2]]
    """
    counts = np.zeros((scale.range + 1, scale.range + 1), dtype=np.int64)
    np.add.at(counts, (labels - scale.low, predictions - scale.low), 1)
    return counts


def histograms(labels: Integers, predictions: Integers, scale: Scale) -> Histograms:
    """Return both histograms and the confusion matrix.

    >>> histograms(np.array([0, 1, 1]), np.array([1, 1, 1]), Scale(0, 1)).predictions
    (0, 3)
    """
    counts = confusion_matrix(labels, predictions, scale)
    return Histograms(
        values=scale.values,
        labels=tuple(counts.sum(axis=1).tolist()),
        predictions=tuple(counts.sum(axis=0).tolist()),
        confusion=tuple(tuple(row) for row in counts.tolist()),
    )


def balanced_accuracy(labels: Integers, predictions: Integers) -> float:
    """Return the mean share of hits over the labels that occur; in [0, 1], a constant earns 1 / labels.

    >>> balanced_accuracy(np.array([0, 0, 0, 4]), np.array([0, 0, 0, 0]))
    0.5
    """
    return balanced_mean(labels, labels == predictions)


def balanced_mean(labels: Integers, hits: npt.ArrayLike) -> float:
    """Return the mean of hits by label, averaged over the labels that occur; in [0, 1] as hits are.

    >>> balanced_mean(np.array([0, 0, 0, 4]), [1, 1, 0.5, 0.5]).__round__(3)
    0.667
    """
    values = np.asarray(hits, dtype=np.float64)
    return float(np.mean([np.mean(values[labels == label]) for label in np.unique(labels)]))


def quadratic_weighted_kappa(labels: Integers, predictions: Integers, scale: Scale) -> float:
    """Return Cohen's kappa with weights (distance / range)^2; in [-1, 1], 1 = equal, 0 = as good as chance.

    A constant prediction earns 0, also where kappa is undefined because the labels are constant too.

    >>> quadratic_weighted_kappa(np.array([0, 2, 4]), np.array([0, 2, 4]), Scale(0, 4))
    1.0
    >>> quadratic_weighted_kappa(np.array([0, 2, 4]), np.array([2, 2, 2]), Scale(0, 4))
    0.0
    """
    observed = confusion_matrix(labels, predictions, scale)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(labels)
    steps = np.arange(scale.range + 1)
    weights = (steps[:, None] - steps[None, :]) ** 2
    disagreement = float((weights * expected).sum())
    if disagreement == 0:
        return 0.0
    return 1 - float((weights * observed).sum()) / disagreement


def spearman(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """Return the rank correlation, ties sharing their mean rank; in [-1, 1], 0 if either side is constant.

    Any real numbers.

    >>> spearman([0, 1, 2, 3], [0, 1, 2, 4]), spearman([0, 1, 2], [3, 3, 3])
    (1.0, 0.0)
    """
    a, b = _ranks(labels), _ranks(predictions)
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def _ranks(values: npt.ArrayLike) -> Floats:
    """Return mean ranks, from 1."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank = last - (counts - 1) / 2
    return np.asarray(mean_rank[inverse], dtype=np.float64)
