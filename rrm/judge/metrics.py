"""Metrics of judgements. Unreadable answers count as the worst prediction, they are never dropped.

A number without ground is left out of a result, as where no prompt has two answers with different labels.
Predictions are whole numbers on the scale; a label between two, as means of several people are, counts as it
is for `mae` and `spearman`, rounded for the numbers that are about classes.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rrm.judge.agreement import (
    Floats,
    Integers,
    balanced_accuracy,
    quadratic_weighted_kappa,
    spearman,
)
from rrm.judge.pairwise import pairwise_metrics
from rrm.judge.scored import ScoredRow
from rrm.judge.untied import untied_pairs
from rrm.scales import PREFERENCE, Scale
from rrm_api.status import Metric

__all__ = [
    "Floats",
    "Integers",
    "ScoredRow",
    "as_metrics",
    "balanced_accuracy",
    "judge_metrics",
    "pairwise_metrics",
    "pointwise_metrics",
    "quadratic_weighted_kappa",
    "spearman",
]


def judge_metrics(rows: Sequence[ScoredRow], scale: Scale) -> dict[str, float]:
    """Return all metrics of a set of answers: on the scale `PREFERENCE` the pairwise ones, else pointwise.

    Both have `reward`, `balanced_accuracy`, `parse_rate` and `truncated`. Agreement is that of rows that have
    a label; `label_missing` is the share of the others, where there are any.

    Raises:
        ValueError: If there are no rows.
    """
    if not rows:
        raise ValueError("metrics of no rows: at least one scored row is required")
    shared = {
        "reward": float(np.mean([row.reward for row in rows])),
        "parse_rate": float(np.mean([row.parse_ok for row in rows])),
        "truncated": float(np.mean([row.truncated for row in rows])),
    }
    labelled = [row for row in rows if row.has_label]
    if len(labelled) < len(rows):
        shared["label_missing"] = 1 - len(labelled) / len(rows)
    if not labelled:
        return shared
    own = pairwise_metrics(labelled) if scale == PREFERENCE else pointwise_metrics(labelled, scale)
    return {**own, **shared}


def pointwise_metrics(rows: Sequence[ScoredRow], scale: Scale) -> dict[str, float]:
    """Return how well scores agree with labels.

    Keys: `exact`, `balanced_accuracy`, `qwk`, `spearman`, `mae` (on the scale), and where a prompt has
    answers with different labels `untied` (share of such pairs in the right order, a predicted tie is
    wrong), `untied_half` (a predicted tie is half right) and `untied_pairs` (how many).
    """
    truth = np.array([row.label for row in rows], dtype=np.float64)
    labels = np.rint(truth).astype(np.int64)
    predictions = np.array([row.prediction for row in rows], dtype=np.int64)
    metrics = {
        "exact": float(np.mean(labels == predictions)),
        "balanced_accuracy": balanced_accuracy(labels, predictions),
        "qwk": quadratic_weighted_kappa(labels, predictions, scale),
        "spearman": spearman(truth, predictions),
        "mae": float(np.mean(np.abs(truth - predictions))),
    }
    pairs = untied_pairs(rows)
    if pairs.pairs:
        metrics |= {"untied": pairs.strict, "untied_half": pairs.half, "untied_pairs": float(pairs.pairs)}
    return metrics


def as_metrics(numbers: Mapping[str, float]) -> list[Metric]:
    """Return numbers as the API's list of metrics, six digits after the point; NaN and infinity are left out.

    >>> [(metric.name, metric.value) for metric in as_metrics({"reward": 0.5, "lift": float("nan")})]
    [('reward', '0.500000')]
    """
    return [
        Metric(name=name, value=f"{value:.6f}") for name, value in numbers.items() if math.isfinite(value)
    ]
