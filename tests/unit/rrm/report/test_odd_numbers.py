"""Odd numbers in charts: user rewards of any size, spreads too small for three digits, no number at all."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_run import Try

from rrm.report.answers import Kind
from rrm.report.axes import bounds_of, tick_texts, ticks_of, written
from rrm.report.curves import CHARTS, found_in
from rrm.report.figures import CARD, Chart, Curve, draw_chart
from rrm.report.gather import gather
from rrm.report.readers import IN_WORDS
from rrm.report.row import find_row
from rrm.report.write import write_report
from rrm.templates.verdict import FailureKind

NOW = "2026-03-01T12:00:00Z"
ANY = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(ANY, min_size=1, max_size=5))
def test_a_chart_of_any_finite_numbers_is_drawn_inside_its_frame(values: list[float]) -> None:
    points = tuple((float(step), value) for step, value in enumerate(values))
    drawn = draw_chart(Chart("t", (Curve("c", "one", points),), last_step=len(values)), CARD)
    places = [float(y) for y in re.findall(r'cy="([^"]+)"', drawn)]
    assert len(places) == len(values)
    assert all(0 <= place <= CARD.height for place in places)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param(
            [0.65121, 0.65138], ("0.6512", "0.65125", "0.6513", "0.65135"), id="a spread below three digits"
        ),
        pytest.param(
            [100.01, 100.04], ("100.01", "100.02", "100.03", "100.04"), id="large and near each other"
        ),
        pytest.param([0.0, 1.0], ("0", "0.25", "0.5", "0.75", "1"), id="shares"),
        pytest.param([-3e8, 1e8], ("-3e8", "-2e8", "-1e8", "0", "1e8"), id="as long as there is room for"),
    ],
)
def test_ticks_say_where_they_are_and_never_the_same_twice(
    values: list[float], texts: tuple[str, ...]
) -> None:
    low, high = bounds_of(values, low=None, high=None)
    assert tick_texts(ticks_of(low, high)) == texts


@given(ANY)
def test_a_number_is_written_in_at_most_nine_letters(value: float) -> None:
    assert len(written(value)) <= 9


def test_numbers_beyond_all_measure_do_not_keep_the_report_from_being_written(recorded: Path) -> None:
    rewards = {str(step): {"reward": 1.7e308 * (-1) ** step} for step in (0, 6, 11, 24)}
    (recorded / "validations.json").write_text(json.dumps(rewards))
    page = write_report(recorded, recorded / "report.html", now=NOW).page.read_text(encoding="utf-8")
    assert "1.7e308" in page
    assert not re.search(r'<(?:path|circle|text)[^>]*="[^"]*(?:nan|inf)\b', page)


def test_how_far_a_step_went_is_no_distance_to_the_starting_model(make: Callable[..., Path]) -> None:
    """`actor/ppo_kl` is against the weights before the update: near 0 however far the judge has gone."""
    root = make(name="no-kl")
    for path in root.glob("attempt-*/metrics.jsonl"):
        path.write_text(path.read_text().replace("actor/kl_loss", "actor/ppo_kl"))
    spec = next(spec for spec in CHARTS if spec.title == "KL to the starting model")
    assert found_in(gather(root, now=NOW), spec).absent == ("KL",)


def test_there_is_no_half_a_step() -> None:
    for last in (1, 2, 3, 7):
        drawn = draw_chart(Chart("t", (Curve("c", "one", ((0, 0.5),)),), last_step=last), CARD)
        steps = re.findall(r'class="tick middle">([^<]+)<', drawn)
        assert len(steps) >= 2
        assert all(step.isdigit() for step in steps)


def test_charts_without_a_line_are_named_in_one_line_and_take_no_room(make: Callable[..., Path]) -> None:
    root = make(name="begun", tries=(Try(0, 0, None),))
    page = write_report(root, root / "report.html", now=NOW).page.read_text(encoding="utf-8")
    assert "Not logged yet: training reward, cut off at the length limit, entropy" in page
    assert "<h3>Entropy</h3>" not in page


def test_a_reward_in_the_millions_fits_its_tile_and_its_column(recorded: Path) -> None:
    rewards = {str(step): {"reward": -3.5e8 + step} for step in (0, 6, 12, 24)}
    (recorded / "validations.json").write_text(json.dumps(rewards))
    page = write_report(recorded, recorded / "report.html", now=NOW).page.read_text(encoding="utf-8")
    assert page.count("-3.5e8") >= 6
    assert "-350000000" not in page


def test_a_pair_right_in_one_order_only_is_wrong_and_says_so(make: Callable[..., Path]) -> None:
    root = make(name="pairs", is_pairwise=True)
    path = root / "attempt-2" / "validation-24.parquet"
    table = pq.read_table(path)
    halves = {"acc": 0.5, "swap_consistent": 0.0, "parse_ok": True, "answer_swapped": "<better>A</better>"}
    rows = [row | halves | {"prediction": row["label"]} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    sheet = gather(root, now=NOW).sheet
    assert sheet is not None
    assert {(example.kind, example.is_consistent) for example in sheet.examples} == {(Kind.WRONG, False)}
    page = write_report(root, root / "report.html", now=NOW).page.read_text(encoding="utf-8")
    assert "in the other order another answer" in page
    (said,) = find_row(root, sheet.examples[0].row_id, step=24).answers
    assert "in the other order another answer" in said.read


def test_of_a_pair_the_order_that_could_not_be_read_is_explained(make: Callable[..., Path]) -> None:
    root = make(name="pairs", is_pairwise=True)
    path = root / "attempt-2" / "validation-24.parquet"
    table = pq.read_table(path)
    texts = {"answer": "<better>A</better>", "answer_swapped": "It is C.", "truncated": False}
    rows = [row | texts | {"parse_ok": False} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    sheet = gather(root, now=NOW).sheet
    assert sheet is not None
    assert {example.why_unread for example in sheet.examples} == {IN_WORDS[FailureKind.MISSING]}
