"""The pictures of a report as small inline SVG: no script, no font; colours come from the page's style.

Every text passes through `escape`, as names may come from a user's data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from rrm.judge.lift import Lift
from rrm.report.axes import (
    SMOOTH_FROM,
    Axis,
    Points,
    bounds_of,
    smoothed,
    thinned,
    tick_texts,
    ticks_of,
    written,
)


@dataclass(frozen=True)
class Size:
    """Width and height in the figure's own pixels; the page scales it."""

    width: int
    height: int


CARD: Final = Size(320, 180)
INTERVAL: Final = Size(320, 74)
HERO_WIDE: Final = Size(880, 300)
HERO_NARROW: Final = Size(320, 240)
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 8, 26
_LABEL_HEIGHT: Final = 13


@dataclass(frozen=True)
class Curve:
    """A line: its name, its colour (a class of the page's style) and its points."""

    name: str
    colour: str
    points: Points


@dataclass(frozen=True)
class Level:
    """A dashed line across: what it stands for and where."""

    name: str
    value: float


@dataclass(frozen=True)
class Chart:
    """Curves over steps.

    Attributes:
        title: Said to those who cannot see it.
        curves: At least one, each with at least one point.
        levels: Dashed lines.
        marks: Steps with a dotted line from bottom to top: resumes.
        last_step: Where the x axis ends.
        low: Where the y axis begins, unless values lie below; None = by the values.
        high: Where it ends, unless values lie above.
    """

    title: str
    curves: tuple[Curve, ...]
    levels: tuple[Level, ...] = ()
    marks: tuple[int, ...] = ()
    last_step: int = 1
    low: float | None = None
    high: float | None = None


def draw_chart(chart: Chart, size: Size) -> Markup:
    """Return the picture of a chart."""
    values = [value for curve in chart.curves for _, value in curve.points]
    values += [level.value for level in chart.levels]
    low, high = bounds_of(values, low=chart.low, high=chart.high)
    y = Axis(low, high, size.height - _BOTTOM, _TOP, ticks_of(low, high))
    end = max(chart.last_step, 1)
    ticks = ticks_of(0, end, 5 if size.width < 500 else 9)
    whole = tuple(tick for tick in ticks if tick.is_integer())  # there is no half a step
    x = Axis(0, end, _LEFT, size.width - _RIGHT, whole)
    parts = [*_grid(x, y), *_marks(chart.marks, x, y), *_levels(chart.levels, x, y)]
    parts += [part for curve in chart.curves for part in _curve(curve, x, y)]
    parts += _level_names(chart.levels, x, y)
    if x.at(x.ticks[-1]) < x.end - 40:
        parts.append(_text(x.end, y.start + 17, "step", "tick end"))
    return _svg(size, chart.title, parts)


def _svg(size: Size, title: str, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {size.width} {size.height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}">{escape(text)}</text>'


def _grid(x: Axis, y: Axis) -> list[str]:
    parts = []
    for tick, text in zip(y.ticks, tick_texts(y.ticks), strict=True):
        at = y.at(tick)
        parts.append(f'<path class="grid-line" d="M{x.start:g} {at:g}H{x.end:g}"/>')
        parts.append(_text(x.start - 6, at + 3.5, text, "tick end"))
    for tick in x.ticks:
        parts.append(_text(x.at(tick), y.start + 17, written(tick), "tick middle"))
    parts.append(f'<path class="axis" d="M{x.start:g} {y.start:g}H{x.end:g}"/>')
    return parts


def _marks(steps: Sequence[int], x: Axis, y: Axis) -> list[str]:
    return [
        f'<path class="mark" d="M{x.at(step):g} {y.start:g}V{y.end:g}">'
        f"<title>resumed from step {step}</title></path>"
        for step in steps
        if step <= x.high
    ]


def _levels(levels: Sequence[Level], x: Axis, y: Axis) -> list[str]:
    return [f'<path class="level" d="M{x.start:g} {y.at(level.value):g}H{x.end:g}"/>' for level in levels]


def _level_names(levels: Sequence[Level], x: Axis, y: Axis) -> list[str]:
    """Write the names of the levels at the right, above their lines, moved apart where they would meet."""
    parts, before = [], y.end - _LABEL_HEIGHT + 8
    for level in sorted(levels, key=lambda level: -level.value):
        before = max(y.at(level.value) - 4, before + _LABEL_HEIGHT)
        parts.append(_text(x.end, before, f"{level.name} {written(level.value)}", "name end"))
    return parts


def _curve(curve: Curve, x: Axis, y: Axis) -> list[str]:
    points = thinned(curve.points)
    if len(points) > SMOOTH_FROM:
        mean, _ = smoothed(points)
        return [_line(points, x, y, f"line faint {curve.colour}"), _line(mean, x, y, f"line {curve.colour}")]
    dots = [
        f'<circle class="dot {curve.colour}" cx="{x.at(step):g}" cy="{y.at(value):g}" r="2.6">'
        f"<title>{escape(curve.name)}, step {step:g}: {written(value)}</title></circle>"
        for step, value in points
    ]
    return [_line(points, x, y, f"line {curve.colour}"), *dots]


def _line(points: Points, x: Axis, y: Axis, style: str) -> str:
    d = "L".join(f"{x.at(step):g} {y.at(value):g}" for step, value in points)
    return f'<path class="{style}" d="M{d}"/>'


@dataclass(frozen=True)
class Bars:
    """Shares by class, one bar of each series beside the others.

    Attributes:
        title: Said to those who cannot see it.
        groups: Names of the classes.
        series: Name, colour and the share of each class, 0 to 1.
    """

    title: str
    groups: tuple[str, ...]
    series: tuple[tuple[str, str, tuple[float, ...]], ...]


def draw_bars(bars: Bars, size: Size) -> Markup:
    """Return the picture of bars."""
    top = max((share for _, _, shares in bars.series for share in shares), default=0) or 1
    y = Axis(0, top * 1.05, size.height - _BOTTOM, _TOP, ticks_of(0, top * 1.05, 4))
    x = Axis(0, len(bars.groups), _LEFT, size.width - _RIGHT)
    parts = _grid(x, y)
    room = (x.end - x.start) / len(bars.groups)
    width = room * 0.78 / max(len(bars.series), 1)
    for g, group in enumerate(bars.groups):
        left = x.start + g * room + room * 0.11
        parts.append(_text(x.start + (g + 0.5) * room, y.start + 17, group, "tick middle"))
        for s, (name, colour, shares) in enumerate(bars.series):
            share = shares[g]
            parts.append(
                f'<rect class="bar {colour}" x="{left + s * width:.1f}" y="{y.at(share):g}" '
                f'width="{max(width - 1, 1):.1f}" height="{y.start - y.at(share):.1f}">'
                f"<title>{escape(name)}, {escape(group)}: {share:.1%}</title></rect>"
            )
    return _svg(size, bars.title, parts)


def draw_interval(lift: Lift) -> Markup:
    """Return the lift with its interval beside zero, which stands for what it is compared with."""
    size = INTERVAL
    ends = (min(lift.low, lift.value, 0.0), max(lift.high, lift.value, 0.0))
    pad = (ends[1] - ends[0]) * 0.12 or 0.05
    x = Axis(ends[0] - pad, ends[1] + pad, 14, size.width - 14)
    zero, low, high, value = (x.at(v) for v in (0.0, lift.low, lift.high, lift.value))
    middle = 30
    parts = [
        f'<path class="axis" d="M{x.start:g} {middle}H{x.end:g}"/>',
        f'<path class="zero" d="M{zero:g} 8V52"/>',
        f'<path class="whisker" d="M{low:g} {middle}H{high:g}M{low:g} 23V37M{high:g} 23V37"/>',
        f'<circle class="estimate" cx="{value:g}" cy="{middle}" r="6"/>',
        _text(_inside(zero, size), 68, "0", "tick middle"),
    ]
    if abs(low - zero) > 34:
        parts.append(_text(_inside(low, size), 68, f"{lift.low:+.3f}", "tick middle"))
    if abs(high - zero) > 34 and abs(high - low) > 44:
        parts.append(_text(_inside(high, size), 68, f"{lift.high:+.3f}", "tick middle"))
    return _svg(size, f"lift {lift.value:+.3f}, 95 % interval {lift.low:+.3f} to {lift.high:+.3f}", parts)


def _inside(x: float, size: Size) -> float:
    return min(max(x, 20), size.width - 20)
