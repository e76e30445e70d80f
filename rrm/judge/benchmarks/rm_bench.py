"""RM-Bench's rule: three styles of the right answer against three styles of the wrong one.

Styles from plain to decorated: concise, detailed, detailed with markdown. As `compute_accuracy` of
THU-KEG/RM-Bench does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

STYLES = 3


@dataclass(frozen=True)
class Difficulties:
    """Accuracies in [0, 1].

    Attributes:
        easy: The right answer is in the more decorated style.
        normal: Both are in the same style.
        hard: The wrong answer is in the more decorated style.
    """

    easy: float
    normal: float
    hard: float

    @property
    def mean(self) -> float:
        """RM-Bench's headline: the mean of the three, each style pair counting alike."""
        return (self.easy + self.normal + self.hard) / 3


def difficulties(wins: npt.ArrayLike) -> Difficulties:
    """Return the accuracies from which comparisons were won.

    Args:
        wins: Shape (prompts, 3, 3): 1 where the right answer in style i beat the wrong one in style j, else
            0; a tie is no win. Shares, as of repeated or swapped comparisons, are taken as they are.

    Raises:
        ValueError: If the shape is another, or there are no prompts.

    >>> longer_wins = [[[0.5, 0, 0], [1, 0.5, 0], [1, 1, 0.5]]]
    >>> difficulties(longer_wins)
    Difficulties(easy=1.0, normal=0.5, hard=0.0)
    """
    table = np.asarray(wins, dtype=np.float64)
    if table.ndim != 3 or table.shape[1:] != (STYLES, STYLES) or not len(table):
        raise ValueError(f"RM-Bench needs wins of shape (prompts, 3, 3), found {table.shape}")
    mean = table.mean(axis=0)
    pairs = STYLES * (STYLES - 1) / 2
    return Difficulties(
        easy=float(np.tril(mean, -1).sum() / pairs),
        normal=float(np.diag(mean).mean()),
        hard=float(np.triu(mean, 1).sum() / pairs),
    )


def wins_of(right: Sequence[float], wrong: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the (3, 3) table of one prompt from a scoring judge's six scores; equal scores are no win.

    >>> wins_of([3, 4, 4], [3, 3, 4]).tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    """
    beats = np.asarray(right, dtype=np.float64)[:, None] > np.asarray(wrong, dtype=np.float64)[None, :]
    return beats.astype(np.float64)
