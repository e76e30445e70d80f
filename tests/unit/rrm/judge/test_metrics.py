"""Metrics agree with scikit-learn and scipy where those are defined, and stay defined where they are not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

from rrm.judge.metrics import (
    ScoredRow,
    as_metrics,
    balanced_accuracy,
    judge_metrics,
    quadratic_weighted_kappa,
    spearman,
)
from rrm.scales import Scale

SCALE = Scale(0, 4)
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


def scored(label: float, prediction: float, *, reward: float = 0.5, parse_ok: bool = True) -> ScoredRow:
    return ScoredRow("r", "g", label, prediction, reward, parse_ok)


@given(PAIRS)
def test_metrics_agree_with_scikit_learn_and_scipy(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = (np.array(side) for side in zip(*pairs, strict=True))
    with np.errstate(all="ignore"):
        assert balanced_accuracy(labels, predictions) == pytest.approx(
            np.mean([np.mean(predictions[labels == label] == label) for label in set(labels)])
        )
        if set(predictions) <= set(labels):
            assert balanced_accuracy(labels, predictions) == pytest.approx(
                balanced_accuracy_score(labels, predictions)
            )
        if len(set(labels)) > 1 and len(set(predictions)) > 1:
            assert spearman(labels, predictions) == pytest.approx(spearmanr(labels, predictions).statistic)
        if len(set(labels) | set(predictions)) > 1:
            kappa = cohen_kappa_score(labels, predictions, weights="quadratic", labels=list(range(5)))
            assert quadratic_weighted_kappa(labels, predictions, SCALE) == pytest.approx(kappa)


def test_a_constant_judge_has_no_agreement_and_no_correlation() -> None:
    labels, threes = np.array([0, 1, 3, 3]), np.array([3, 3, 3, 3])
    assert quadratic_weighted_kappa(labels, threes, SCALE) == 0
    assert spearman(labels, threes) == 0
    assert quadratic_weighted_kappa(threes, threes, SCALE) == 0


def test_unreadable_answers_count_as_the_worst_prediction() -> None:
    rows = [scored(3, 3, reward=1), scored(3, 0, reward=0, parse_ok=False)]
    metrics = judge_metrics(rows, SCALE)
    assert (metrics["exact"], metrics["mae"], metrics["parse_rate"], metrics["reward"]) == (
        0.5,
        1.5,
        0.5,
        0.5,
    )


def test_no_rows_have_no_metrics() -> None:
    with pytest.raises(ValueError, match="at least one scored row"):
        judge_metrics([], SCALE)


def test_metrics_reach_the_api_without_what_it_cannot_say() -> None:
    metrics = as_metrics({"reward": 1e-9, "kappa": -0.25, "bad": math.nan, "worse": math.inf})
    assert [(metric.name, metric.value) for metric in metrics] == [
        ("reward", "0.000000"),
        ("kappa", "-0.250000"),
    ]
