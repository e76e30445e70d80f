"""Axes of the pictures: bounds, round ticks, numbers as people write them, lines thinned to what is seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST: Final = 1e300
"""What is larger is drawn at the edge: with it, spans would be infinite."""
Points = Sequence[tuple[float, float]]
MOST_POINTS: Final = 400
"""More points than a picture has pixels only make the page heavy."""
SMOOTH_FROM: Final = 60
"""With so many points single steps are drawn faintly, and their running mean on top."""


@dataclass(frozen=True)
class Axis:
    """A range of values on a length of pixels, with its ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Return the pixel of a value.

        >>> Axis(0, 10, 100, 0).at(5)
        50.0
        """
        share = (_bearable(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def bounds_of(values: Sequence[float], *, low: float | None, high: float | None) -> tuple[float, float]:
    """Return where an axis begins and ends: given ends stand, others get room around the values.

    >>> bounds_of([0.2, 0.7], low=0, high=None)[0], bounds_of([0.5, 0.5], low=None, high=None)
    (0, (0.45, 0.55))
    """
    least, most = _bearable(min(values)), _bearable(max(values))
    span = most - least or abs(most) / 5 or 1.0
    bottom = low if low is not None and least >= low else least - span * (0.08 if most > least else 0.5)
    top = high if high is not None and most <= high else most + span * (0.08 if most > least else 0.5)
    return bottom, top if top > bottom else bottom + span


def _bearable(value: float) -> float:
    return min(max(value, -MOST), MOST)


def ticks_of(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Return at most so many round numbers inside a range.

    >>> ticks_of(0, 1), ticks_of(0.43, 0.81), ticks_of(0, 24, 4)
    ((0.0, 0.25, 0.5, 0.75, 1.0), (0.5, 0.6, 0.7, 0.8), (0.0, 10.0, 20.0))
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (factor * power for factor in (1, 2, 2.5, 5, 10, 20))
    # The last one is more than twice what is needed, so one always fits.
    step = next(step for step in steps if len(_multiples(step, low, high)) <= most)
    return tuple(round(k * step, 12) for k in _multiples(step, low, high))


def _multiples(step: float, low: float, high: float) -> range:
    return range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)


def written(value: float) -> str:
    """Return a number as a page shows it: three digits that count.

    >>> [written(v) for v in (0.65321, 12.3, 1234.5, 0.00002, 0, -0.5, 1.0, 24, 25e6)]
    ['0.653', '12.3', '1,234', '2e-5', '0', '-0.5', '1', '24', '2.5e7']
    """
    size = abs(value)
    if value == 0:
        return "0"
    if size < 0.0005 or size >= 999_999.5:
        mantissa, _, power = f"{value:.1e}".partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(power)}"
    if size >= 1000:
        return f"{value:,.0f}"
    digits = 3 if size < 10 else 1
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def thirds(value: float) -> str:
    """Return a number as tables align it, three digits after the point; one of four before it as `written`.

    >>> thirds(0.5), thirds(-35e7)
    ('0.500', '-3.5e8')
    """
    return f"{value:.3f}" if abs(value) < 1000 else written(value)


def tick_texts(ticks: Sequence[float]) -> tuple[str, ...]:
    """Return ticks as they are written beside an axis: each true within a twentieth of their distance.

    >>> tick_texts((0.0, 0.5, 1.0)), tick_texts((0.65125, 0.6513)), tick_texts((12.25, 12.5))
    (('0', '0.5', '1'), ('0.65125', '0.6513'), ('12.25', '12.5'))
    """
    texts = tuple(map(written, ticks))
    off = abs(ticks[-1] - ticks[0]) / max(len(ticks) - 1, 1) / 20 or math.inf
    for digits in range(4, 17):
        if all(
            abs(float(text.replace(",", "")) - tick) <= off for text, tick in zip(texts, ticks, strict=True)
        ):
            break
        texts = tuple(f"{tick:.{digits}g}" for tick in ticks)
    return texts


def thinned(points: Points) -> list[tuple[float, float]]:
    """Return at most `MOST_POINTS` points, each the mean of its neighbours; the last one stays the last."""
    if len(points) <= MOST_POINTS:
        return list(points)
    size = -(-len(points) // MOST_POINTS)
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]


def smoothed(points: Points) -> tuple[list[tuple[float, float]], int]:
    """Return the running mean over a window around each point, and the window's width in points.

    >>> smoothed([(0, 0.0), (1, 3.0), (2, 0.0)])
    ([(0, 1.5), (1, 1.0), (2, 1.5)], 3)
    """
    half = max(1, len(points) // 50)
    sums = [0.0]
    for _, value in points:
        sums.append(sums[-1] + value)
    line = []
    for i, (step, _) in enumerate(points):
        first, last = max(0, i - half), min(len(points), i + half + 1)
        line.append((step, round((sums[last] - sums[first]) / (last - first), 9)))
    return line, 2 * half + 1
