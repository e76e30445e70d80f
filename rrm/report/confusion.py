"""How labels and scores meet: a scale in classes, answers counted by both."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isnan
from typing import Final

from rrm.report.reading import Row
from rrm.scales import PREFERENCE, Scale

MOST_CELLS: Final = 11
"""A wider scale is shown in this many classes of equal width."""


@dataclass(frozen=True)
class Classes:
    """The scale in classes, each with a name: whole numbers, or ranges of them where there are many.

    >>> Classes(Scale(0, 4)).names
    ('0', '1', '2', '3', '4')
    >>> Classes(PREFERENCE).names, Classes(PREFERENCE).index(1)
    (('A', 'tie', 'B'), 2)
    >>> Classes(Scale(0, 100)).names[:2], Classes(Scale(0, 100)).index(100)
    (('0-9', '10-18'), 10)
    """

    scale: Scale

    @property
    def count(self) -> int:
        """How many there are."""
        return min(len(self.scale.values), MOST_CELLS)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, from the low end."""
        if self.scale == PREFERENCE:
            return ("A", "tie", "B")
        members: list[list[int]] = [[] for _ in range(self.count)]
        for value in self.scale.values:
            members[self.index(value)].append(value)
        return tuple(f"{m[0]}" if len(m) == 1 else f"{m[0]}-{m[-1]}" for m in members)

    def index(self, value: float) -> int:
        """Return the class of a value; what lies off the scale belongs to its nearest end."""
        inside = min(max(value, self.scale.low), self.scale.high)
        return min(floor((inside - self.scale.low) * self.count / len(self.scale.values)), self.count - 1)


@dataclass(frozen=True)
class Confusion:
    """How often each label met each score; unreadable answers are a column of their own.

    Attributes:
        names: Classes of the scale.
        counts: Answers by label (rows) and score (columns); the last column are the unreadable.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def labels(self) -> tuple[int, ...]:
        """Answers by label."""
        return tuple(sum(row) for row in self.counts)

    @property
    def predictions(self) -> tuple[int, ...]:
        """Readable answers by score."""
        return tuple(sum(row[i] for row in self.counts) for i in range(len(self.names)))

    @property
    def unreadable(self) -> int:
        """Answers that could not be read."""
        return sum(row[-1] for row in self.counts)


def confusion_of(rows: Sequence[Row], scale: Scale) -> Confusion:
    """Return labels against scores; rows without a label are in no class.

    >>> rows = [{"label": 0.0, "prediction": 1.0, "parse_ok": True}, {"label": 1.0, "parse_ok": False}]
    >>> confusion_of(rows, Scale(0, 1)).counts
    ((0, 1, 0), (0, 0, 1))
    """
    classes = Classes(scale)
    counts = [[0] * (classes.count + 1) for _ in range(classes.count)]
    for row in rows:
        if isnan(row["label"]):
            continue
        column = classes.index(row["prediction"]) if row.get("parse_ok") else classes.count
        counts[classes.index(row["label"])][column] += 1
    return Confusion(classes.names, tuple(tuple(row) for row in counts))


def score_in_words(value: float, scale: Scale) -> str:
    """Return a label or score as people say it.

    >>> score_in_words(-1, PREFERENCE), score_in_words(3.0, Scale(0, 4)), score_in_words(0.5, Scale(0, 4))
    ('A', '3', '0.5')
    """
    if isnan(value):
        return "none"
    if scale == PREFERENCE and value in scale and float(value).is_integer():
        return Classes(scale).names[int(value) + 1]
    return f"{value:g}"
