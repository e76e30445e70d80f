"""Metrics of pointwise judgements. Unreadable answers count as the worst prediction, they are never dropped.

All functions take one value per answer; labels and predictions are whole numbers on the scale.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rrm.scales import Scale
from rrm_api.status import Metric

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScoredRow:
    """One answer of a judge to one row.

    Attributes:
        row_id: Row of the prepared data; several sampled answers share it.
        prompt_group: Rows of one prompt share it.
        label: Truth.
        prediction: Score that was read; of an unreadable answer the worst one for its label.
        reward: What the answer earned, in [0, 1].
        parse_ok: Whether it could be read.
    """

    row_id: str
    prompt_group: str
    label: float
    prediction: float
    reward: float
    parse_ok: bool


def judge_metrics(rows: Sequence[ScoredRow], scale: Scale) -> dict[str, float]:
    """Return all metrics of a set of answers.

    Keys: `reward`, `exact`, `balanced_accuracy`, `qwk`, `spearman`, `mae` (on the scale), `parse_rate`.

    Raises:
        ValueError: If there are no rows.
    """
    if not rows:
        raise ValueError("metrics of no rows: at least one scored row is required")
    labels = np.array([row.label for row in rows], dtype=np.int64)
    predictions = np.array([row.prediction for row in rows], dtype=np.int64)
    return {
        "reward": float(np.mean([row.reward for row in rows])),
        "exact": float(np.mean(labels == predictions)),
        "balanced_accuracy": balanced_accuracy(labels, predictions),
        "qwk": quadratic_weighted_kappa(labels, predictions, scale),
        "spearman": spearman(labels, predictions),
        "mae": float(np.mean(np.abs(labels - predictions))),
        "parse_rate": float(np.mean([row.parse_ok for row in rows])),
    }


def balanced_accuracy(labels: Integers, predictions: Integers) -> float:
    """Return the mean share of hits over the labels that occur; in [0, 1], a constant earns 1 / labels.

    >>> balanced_accuracy(np.array([0, 0, 0, 4]), np.array([0, 0, 0, 0]))
    0.5
    """
    hits = [np.mean(predictions[labels == label] == label) for label in np.unique(labels)]
    return float(np.mean(hits))


def quadratic_weighted_kappa(labels: Integers, predictions: Integers, scale: Scale) -> float:
    """Return Cohen's kappa with weights (distance / range)^2; in [-1, 1], 1 = equal, 0 = as good as chance.

    A constant prediction earns 0, also where kappa is undefined because the labels are constant too.

    >>> quadratic_weighted_kappa(np.array([0, 2, 4]), np.array([0, 2, 4]), Scale(0, 4))
    1.0
    >>> quadratic_weighted_kappa(np.array([0, 2, 4]), np.array([2, 2, 2]), Scale(0, 4))
    0.0
    """
    size = scale.range + 1
    observed = np.zeros((size, size))  # (label, prediction)
    np.add.at(observed, (labels - scale.low, predictions - scale.low), 1)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(labels)
    steps = np.arange(size)
    weights = (steps[:, None] - steps[None, :]) ** 2
    disagreement = float((weights * expected).sum())
    if disagreement == 0:
        return 0.0
    return 1 - float((weights * observed).sum()) / disagreement


def spearman(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """Return the rank correlation, ties sharing their mean rank; in [-1, 1], 0 if either side is constant.

    >>> spearman([0, 1, 2, 3], [0, 1, 2, 4]), spearman([0, 1, 2], [3, 3, 3])
    (1.0, 0.0)
    """
    a, b = _ranks(labels), _ranks(predictions)
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def as_metrics(numbers: Mapping[str, float]) -> list[Metric]:
    """Return numbers as the API's list of metrics, six digits after the point; NaN and infinity are left out.

    >>> [(metric.name, metric.value) for metric in as_metrics({"reward": 0.5, "lift": float("nan")})]
    [('reward', '0.500000')]
    """
    return [
        Metric(name=name, value=f"{value:.6f}") for name, value in numbers.items() if math.isfinite(value)
    ]


def _ranks(values: npt.ArrayLike) -> Floats:
    """Return mean ranks, from 1."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank = last - (counts - 1) / 2
    return np.asarray(mean_rank[inverse], dtype=np.float64)
