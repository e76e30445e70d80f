"""Rows without a label, as a user's dataset class may hand out: counted, and no number is made of them."""

import math
from dataclasses import replace

import pytest

from rrm.judge.lift import verdict_on
from rrm.judge.metrics import judge_metrics
from rrm.judge.scored import ScoredRow
from rrm.report.answers import kind_of
from rrm.report.comparison import differences_of
from rrm.report.confusion import confusion_of, score_in_words
from rrm.scales import PREFERENCE, Scale

KNOWN = [ScoredRow("a", "g", 1, 1, 1.0, True), ScoredRow("b", "g", 0, 1, 0.5, False)]
LONE = ScoredRow("c", "h", math.nan, 0, 0.0, True)
SCALES = pytest.mark.parametrize("scale", [Scale(0, 4), PREFERENCE], ids=["scores", "pairs"])


@SCALES
def test_agreement_is_that_of_the_other_rows_and_the_share_is_told(scale: Scale) -> None:
    found, without = judge_metrics([*KNOWN, LONE], scale), judge_metrics(KNOWN, scale)
    assert found.pop("label_missing") == pytest.approx(1 / 3)
    assert (found.pop("reward"), found.pop("parse_rate")) == pytest.approx((0.5, 2 / 3))
    assert found == {name: value for name, value in without.items() if name not in {"reward", "parse_rate"}}


@SCALES
def test_where_no_row_has_a_label_only_reward_and_form_are_known(scale: Scale) -> None:
    assert judge_metrics([LONE], scale) == {
        "reward": 0, "parse_rate": 1, "truncated": 0, "label_missing": 1,
    }  # fmt: skip


@SCALES
def test_two_judges_are_compared_on_what_has_a_label(scale: Scale) -> None:
    rows = [*KNOWN, LONE]
    better = [replace(row, reward=row.reward + 0.5) for row in rows]
    found = {difference.metric: difference for difference in differences_of(rows, better, scale)}
    assert found["reward"].change is not None
    assert found["reward"].change.value == pytest.approx(0.5)
    values = [d.change.value for d in found.values() if d.change is not None]
    assert all(math.isfinite(value) for value in values)


def test_the_report_shows_such_an_answer_and_puts_it_in_no_class() -> None:
    rows = [{"label": math.nan, "prediction": 1.0, "parse_ok": True}]
    assert confusion_of(rows, Scale(0, 1)).counts == ((0, 0, 0), (0, 0, 0))
    assert kind_of(rows[0]).value == "wrong"
    assert score_in_words(math.nan, PREFERENCE) == "none"


def test_a_lift_that_is_no_number_claims_nothing() -> None:
    assert verdict_on(math.nan, math.nan, "uniform").startswith("NOT LEARNING")
