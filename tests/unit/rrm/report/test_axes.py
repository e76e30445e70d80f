"""Axes: ticks are round and inside, values land inside the picture, lines stay what they were."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.judge.lift import Lift
from rrm.report.axes import MOST_POINTS, Axis, bounds_of, smoothed, thinned, ticks_of, written
from rrm.report.figures import CARD, Bars, Chart, Curve, Level, draw_bars, draw_chart, draw_interval

NUMBERS = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(st.lists(NUMBERS, min_size=1, max_size=50))
def test_every_value_lies_inside_its_axis(values: list[float]) -> None:
    low, high = bounds_of(values, low=0, high=1)
    assert low < high
    axis = Axis(low, high, 100, 0)
    assert all(-0.1 <= axis.at(value) <= 100.1 for value in values)


@given(NUMBERS, st.floats(1e-6, 1e6))
def test_ticks_are_few_inside_and_evenly_apart(low: float, span: float) -> None:
    high = low + span
    ticks = ticks_of(low, high)
    assert 1 <= len(ticks) <= 5
    assert all(low - span * 1e-6 <= tick <= high + span * 1e-6 for tick in ticks)
    gaps = [b - a for a, b in itertools.pairwise(ticks)]
    assert all(math.isclose(gap, gaps[0], rel_tol=1e-3, abs_tol=1e-9) for gap in gaps)


def test_ends_that_are_given_stand_unless_values_lie_beyond() -> None:
    assert bounds_of([0.2, 0.9], low=0, high=1) == (0, 1)
    assert bounds_of([-0.2, 1.4], low=0, high=1)[0] < -0.2
    assert bounds_of([-0.2, 1.4], low=0, high=1)[1] > 1.4
    assert bounds_of([0.0], low=0, high=None) == (0, 0.5)


def test_many_points_are_thinned_and_keep_their_mean_and_end() -> None:
    points = [(float(i), float(i % 10)) for i in range(10_000)]
    thin = thinned(points)
    assert len(thin) <= MOST_POINTS
    assert thin[-1][0] == 9_999
    assert sum(value for _, value in thin) / len(thin) == pytest.approx(4.5)
    assert thinned(points[:5]) == points[:5]


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=300))
def test_a_running_mean_stays_between_the_extremes(values: list[float]) -> None:
    line, width = smoothed([(float(i), value) for i, value in enumerate(values)])
    assert len(line) == len(values)
    assert width % 2 == 1
    assert all(min(values) - 1e-6 <= value <= max(values) + 1e-6 for _, value in line)


@pytest.mark.parametrize("value", [0.5, 3.0, 12.5, 250.0])
def test_written_numbers_can_be_read_back(value: float) -> None:
    assert float(written(value)) == pytest.approx(value, rel=1e-2)


def test_names_in_pictures_are_escaped() -> None:
    curve = Curve("<b>", "one", ((0, 1.0),))
    drawn = draw_chart(Chart("<i>", (curve,), levels=(Level("<u>", 0.5),)), CARD)
    bars = draw_bars(Bars("<i>", ("<b>",), (("<u>", "one", (1.0,)),)), CARD)
    for picture in (drawn, bars):
        assert not {"<b>", "<i>", "<u>"} & {picture[i : i + 3] for i in range(len(picture))}
        assert "&lt;u&gt;" in picture


def test_names_of_near_levels_do_not_lie_on_each_other() -> None:
    levels = tuple(Level(f"floor {i}", 0.5 + i / 1000) for i in range(4))
    drawn = draw_chart(Chart("t", (Curve("c", "one", ((0, 0.0), (9, 1.0))),), levels, last_step=9), CARD)
    places = sorted(
        float(part.split('"')[1])
        for part in drawn.split("<text")[1:]
        if "floor" in part
        for part in [part[part.index("y=") :]]
    )
    assert len(places) == 4
    assert min(b - a for a, b in itertools.pairwise(places)) >= 13


@pytest.mark.parametrize(
    ("low", "value", "high", "labels"),
    [(0.1, 0.2, 0.3, {"+0.100", "+0.300"}), (-0.2, -0.1, 0.2, {"-0.200", "+0.200"}), (0.0, 0.0, 0.0, set())],
)
def test_the_interval_is_drawn_beside_zero(low: float, value: float, high: float, labels: set[str]) -> None:
    drawn = draw_interval(Lift(value, low, high, "constant-2", "LEARNING (above the best constant)"))
    assert ">0</text>" in drawn
    assert all(f">{label}</text>" in drawn for label in labels)
