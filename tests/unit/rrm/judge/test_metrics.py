"""Metrics agree with scikit-learn and scipy where those are defined, and stay defined where they are not."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, confusion_matrix

from rrm.judge.agreement import histograms
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


def scored(label: float, prediction: float, **changes: object) -> ScoredRow:
    values = {"row_id": "r", "prompt_group": "g", "reward": 0.5, "parse_ok": True, **changes}
    return ScoredRow(label=label, prediction=prediction, **values)  # type: ignore[arg-type]


@given(PAIRS, st.integers(-3, 3))
def test_metrics_agree_with_scikit_learn_and_scipy(pairs: list[tuple[int, int]], shift: int) -> None:
    labels, predictions = (np.array(side) for side in zip(*pairs, strict=True))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
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
            moved = quadratic_weighted_kappa(labels + shift, predictions + shift, Scale(shift, 4 + shift))
            assert moved == pytest.approx(kappa)


@given(PAIRS)
def test_histograms_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = (np.array(side) for side in zip(*pairs, strict=True))
    found = histograms(labels + 1, predictions + 1, Scale(1, 5))
    assert found.values == (1, 2, 3, 4, 5)
    assert (
        np.array(found.confusion).tolist() == confusion_matrix(labels, predictions, labels=range(5)).tolist()
    )
    assert found.labels == tuple(np.bincount(labels, minlength=5))
    assert found.predictions == tuple(np.bincount(predictions, minlength=5))


def test_a_constant_judge_has_no_agreement_and_no_correlation() -> None:
    labels, threes = np.array([0, 1, 3, 3]), np.array([3, 3, 3, 3])
    assert quadratic_weighted_kappa(labels, threes, SCALE) == 0
    assert spearman(labels, threes) == 0
    assert quadratic_weighted_kappa(threes, threes, SCALE) == 0


def test_all_metrics_of_four_answers() -> None:
    rows = [
        scored(4, 4, reward=1.0, row_id="a"),
        scored(1, 3, reward=0.5, row_id="b", truncated=True),
        scored(0, 4, reward=0.0, row_id="c", parse_ok=False, truncated=True),
        scored(2, 2, reward=1.0, row_id="d", prompt_group="h"),
    ]
    metrics = judge_metrics(rows, SCALE)
    assert metrics == pytest.approx(
        {
            "exact": 0.5,
            "balanced_accuracy": 0.5,
            "qwk": 1 - 20 / 20.5,
            "spearman": spearmanr([4, 1, 0, 2], [4, 3, 4, 2]).statistic,
            "mae": 1.5,
            "untied": 1 / 3,
            "untied_half": 1 / 3,
            "untied_pairs": 3.0,
            "reward": 0.625,
            "parse_rate": 0.75,
            "truncated": 0.5,
        }
    )


def test_unreadable_answers_count_as_the_worst_prediction() -> None:
    rows = [scored(3, 3, reward=1.0), scored(3, 0, reward=0.0, parse_ok=False)]
    metrics = judge_metrics(rows, SCALE)
    assert [metrics[name] for name in ("exact", "mae", "parse_rate", "reward")] == [0.5, 1.5, 0.5, 0.5]
    assert "untied" not in metrics, "no two labels differ"


def test_labels_between_whole_numbers_keep_their_worth() -> None:
    """Means of three people: 2.67 is nearer to 3, and above 2.33."""
    rows = [scored(2.67, 3, row_id="a"), scored(2.33, 2, row_id="b")]
    metrics = judge_metrics(rows, SCALE)
    assert (metrics["exact"], metrics["spearman"], metrics["untied"]) == (1.0, pytest.approx(1.0), 1.0)
    assert metrics["mae"] == pytest.approx(0.33)


def test_no_rows_have_no_metrics() -> None:
    with pytest.raises(ValueError, match="metrics of no rows: at least one scored row is required"):
        judge_metrics([], SCALE)


def test_metrics_reach_the_api_without_what_it_cannot_say() -> None:
    metrics = as_metrics({"reward": 1e-9, "kappa": -0.25, "bad": math.nan, "worse": math.inf})
    assert [(metric.name, metric.value) for metric in metrics] == [
        ("reward", "0.000000"),
        ("kappa", "-0.250000"),
    ]
