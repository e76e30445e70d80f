"""The range a judgement lives on; every reward, parser and metric takes it as an argument."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scale:
    """Whole numbers from `low` to `high`, both included; dimensionless.

    >>> scale = Scale(0, 4)
    >>> scale.range, scale.values, 4 in scale, 5 in scale
    (4, (0, 1, 2, 3, 4), True, False)
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.high <= self.low:
            raise ValueError(f"a scale needs low < high, found {self.low} to {self.high}")

    @property
    def range(self) -> int:
        """Distance between the ends."""
        return self.high - self.low

    @property
    def values(self) -> tuple[int, ...]:
        """Every whole number on the scale, ascending."""
        return tuple(range(self.low, self.high + 1))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def worst_for(self, label: float) -> int:
        """Return the end of the scale that is farthest from the label; ties go to `low`.

        >>> Scale(0, 4).worst_for(3), Scale(0, 4).worst_for(1), Scale(0, 4).worst_for(2)
        (0, 4, 0)
        """
        return self.low if label - self.low >= self.high - label else self.high


PREFERENCE: Final = Scale(-1, 1)
"""Of two answers: -1 = the first (A) is better, 0 = tie, +1 = the second (B) is better."""
