"""Untied pairs: of two answers to one prompt with different labels, which one is scored higher?

This is what a scoring judge is used for, and the one pointwise number that no constant can earn.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rrm.judge.scored import ScoredRow


@dataclass(frozen=True)
class UntiedPairs:
    """Counts over all pairs of answers whose labels differ, within prompts.

    Attributes:
        pairs: How many there are.
        right: Those whose predictions stand in the order of their labels.
        tied: Those whose predictions are equal and readable.
    """

    pairs: int
    right: int
    tied: int

    @property
    def strict(self) -> float:
        """Share of right pairs, a predicted tie being wrong, in [0, 1]; NaN without pairs."""
        return self.right / self.pairs if self.pairs else float("nan")

    @property
    def half(self) -> float:
        """The same, a predicted tie being half right: any constant earns 0.5."""
        return (self.right + self.tied / 2) / self.pairs if self.pairs else float("nan")


def untied_pairs(rows: Sequence[ScoredRow]) -> UntiedPairs:
    """Count pairs; an unreadable answer loses each of its pairs, so that failing to answer earns nothing.

    Several answers to a row are each paired with each answer to its siblings.

    >>> rows = [ScoredRow("a", "g", 1, 2, 0, True), ScoredRow("b", "g", 4, 3, 0, True)]
    >>> untied_pairs(rows)
    UntiedPairs(pairs=1, right=1, tied=0)
    """
    groups: dict[str, list[ScoredRow]] = defaultdict(list)
    for row in rows:
        groups[row.prompt_group].append(row)
    pairs = right = tied = 0
    for group in groups.values():
        labels = np.array([row.label for row in group])
        predictions = np.array([row.prediction for row in group])
        is_readable = np.array([row.parse_ok for row in group])
        is_pair = labels[:, None] > labels[None, :]  # each pair once: the better answer is the row
        counts = is_pair & is_readable[:, None] & is_readable[None, :]
        pairs += int(is_pair.sum())
        right += int((counts & (predictions[:, None] > predictions[None, :])).sum())
        tied += int((counts & (predictions[:, None] == predictions[None, :])).sum())
    return UntiedPairs(pairs, right, tied)
