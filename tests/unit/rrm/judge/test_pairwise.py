"""Pairwise metrics, on made-up verdicts and on recorded ones of two published judges."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score

from rrm.judge.metrics import judge_metrics
from rrm.judge.pairwise import length_slices, pairwise_metrics, swap_metrics
from rrm.judge.scored import ScoredRow
from rrm.scales import PREFERENCE

VERDICTS = Path(__file__).parents[3] / "data/judgebench/pandalm_verdicts.csv"
PAIRS = st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), min_size=1, max_size=60)


def row(label: int, said: int | None, *, row_id: str = "r", pair: str | None = None) -> ScoredRow:
    prediction = PREFERENCE.worst_for(label) if said is None else said
    return ScoredRow(row_id, row_id, label, prediction, float(said == label), said is not None, pair_id=pair)


def recorded(judge: str) -> tuple[list[ScoredRow], dict[str, float]]:
    """Return the answers of a recorded judge, and by row which response is longer."""
    with VERDICTS.open(encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    said = [None if line[judge] == "" else int(line[judge]) for line in table]
    rows = [row(int(line["label"]), s, row_id=line["row"]) for line, s in zip(table, said, strict=True)]
    longer = {t["row"]: float(np.sign(int(t["length_2"]) - int(t["length_1"]))) for t in table}
    return rows, longer


@given(PAIRS)
def test_accuracies_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, said = (list(side) for side in zip(*pairs, strict=True))
    metrics = pairwise_metrics([row(label, verdict) for label, verdict in pairs])
    assert metrics["accuracy"] == pytest.approx(accuracy_score(labels, said))
    occurring = sorted(set(labels))
    recalls = recall_score(labels, said, average="macro", labels=occurring, zero_division=0.0)
    assert metrics["balanced_accuracy"] == pytest.approx(recalls)
    untied = [pair for pair in pairs if pair[0]]
    assert metrics.get("accuracy_untied") == (
        pytest.approx(accuracy_score(*zip(*untied, strict=True))) if untied else None
    )


@pytest.mark.parametrize(
    ("judge", "accuracy", "parse_rate", "swapless"),
    [
        pytest.param("gpt", 0.698, 0.975, {"verdict_a": 0.472, "verdict_tie": 0.039}, id="gpt-3.5-turbo"),
        pytest.param("pandalm", 0.668, 1.0, {"verdict_a": 0.433, "verdict_tie": 0.107}, id="PandaLM-7B"),
    ],
)
def test_recorded_judges_score_as_counted_by_hand(
    judge: str, accuracy: float, parse_rate: float, swapless: dict[str, float]
) -> None:
    """Agreement with the human majority over all 999 rows, a tie being a third class.

    gpt-3.5-turbo names 5 of its 697 right rows `Tie`: who takes that word for no verdict finds 0.693.
    """
    rows, _ = recorded(judge)
    metrics = {name: round(value, 3) for name, value in judge_metrics(rows, PREFERENCE).items()}
    assert (metrics["accuracy"], metrics["parse_rate"]) == (accuracy, parse_rate)
    assert {name: metrics[name] for name in swapless} == swapless
    assert metrics["label_a"] == 0.422
    assert "swap_consistency" not in metrics, "recorded in one order only"


def test_length_explains_people_about_as_published() -> None:
    """On the 894 untied rows the longer response is the better one in 67 %; 7 are equally long."""
    rows, longer = recorded("gpt")
    hits = [longer[r.row_id] * r.label for r in rows if r.label]
    assert [hits.count(kind) for kind in (1, -1, 0)] == [599, 288, 7]


def test_a_judge_that_likes_length_shows_it() -> None:
    rows, longer = recorded("pandalm")
    slices = length_slices(rows, longer)
    assert slices == pytest.approx(
        {"accuracy_longer_better": 0.746, "accuracy_shorter_better": 0.642}, abs=5e-4
    )
    assert pairwise_metrics(rows, longer).items() >= slices.items()


def test_length_slices_leave_out_ties_equal_and_unknown_lengths() -> None:
    rows = [
        row(-1, -1, row_id="longer, right"),
        row(1, -1, row_id="longer, wrong"),
        row(1, 1, row_id="shorter, right"),
        row(0, 0, row_id="tie"),
        row(1, 1, row_id="equal"),
        row(1, 1, row_id="unknown"),
    ]
    longer = {"longer, right": -1, "longer, wrong": 1, "shorter, right": -1, "tie": 1, "equal": 0}
    assert length_slices(rows, longer) == {"accuracy_longer_better": 0.5, "accuracy_shorter_better": 1.0}
    assert length_slices(rows, {}) == {}


@pytest.mark.parametrize(
    ("first", "second", "consistent", "right"),
    [
        pytest.param(-1, 1, 1, 1, id="right both times"),
        pytest.param(1, -1, 1, 0, id="wrong both times, but for one reason"),
        pytest.param(-1, -1, 0, 0, id="always the first"),
        pytest.param(1, 1, 0, 0, id="always the second"),
        pytest.param(0, 0, 1, 0, id="a tie both times"),
        pytest.param(-1, 0, 0, 0, id="a tie once"),
        pytest.param(-1, None, 0, 0, id="unreadable once"),
        pytest.param(None, None, 0, 0, id="unreadable both times"),
    ],
)
def test_both_orders_of_a_pair(first: int | None, second: int | None, consistent: int, right: int) -> None:
    """The first answer is the better one; in the other order it is the second."""
    rows = [row(-1, first, row_id="ab", pair="p"), row(1, second, row_id="ba", pair="p")]
    assert swap_metrics(rows) == {"swap_consistency": consistent, "both_orders_right": right}


def test_pairs_asked_in_one_order_have_no_swap_metrics() -> None:
    rows = [row(-1, -1, row_id="ab", pair="p"), row(-1, 1, row_id="ab", pair="p"), row(1, 1, row_id="x")]
    assert swap_metrics(rows) == {}
    assert swap_metrics([row(-1, -1, row_id="x"), row(1, 1, row_id="y")]) == {}, "no pair's orders"
    assert swap_metrics([*rows, row(1, 1, row_id="ba", pair="q"), row(-1, -1, row_id="bc", pair="q")]) == {
        "swap_consistency": 1.0,
        "both_orders_right": 1.0,
    }


def test_several_answers_are_each_met_with_each() -> None:
    rows = [row(-1, said, row_id="ab", pair="p") for said in (-1, 1)]
    rows += [row(1, said, row_id="ba", pair="p") for said in (1, 1, -1, 0)]
    assert swap_metrics(rows) == {"swap_consistency": (2 + 1) / 8, "both_orders_right": 2 / 8}


def test_unreadable_verdicts_are_wrong_and_no_sign_of_a_bias() -> None:
    rows = [row(-1, None), row(1, None), row(0, None), row(1, 1)]
    metrics = judge_metrics(rows, PREFERENCE)
    assert (metrics["accuracy"], metrics["verdict_a"], metrics["parse_rate"]) == (0.25, 0.0, 0.25)
    assert "verdict_a" not in pairwise_metrics([row(-1, None)])


def test_pairs_that_all_tie_have_no_untied_accuracy() -> None:
    metrics = pairwise_metrics([row(0, 0), row(0, 1)])
    assert metrics["accuracy"] == 0.5
    assert "accuracy_untied" not in metrics
