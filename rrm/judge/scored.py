"""`ScoredRow`: one answer of a judge, as every metric here reads it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ScoredRow:
    """One answer of a judge to one row.

    Attributes:
        row_id: Row of the prepared data; several sampled answers share it.
        prompt_group: Rows of one prompt share it.
        label: Truth; NaN if missing.
        prediction: Score that was read; of an unreadable answer the worst one for its label.
        reward: What the answer earned.
        parse_ok: Whether it could be read.
        truncated: Whether it was cut off at its longest allowed length.
        pair_id: Both orders of one pair share it, each a row of its own; None where only one is asked.
        strength: How clear the preference of a pair is, in [0, 1].
        acc: Share of right verdicts where both orders were asked at once: 0, 0.5 or 1.
        swap_consistent: Whether both orders then named the same answer.
        answer_swapped: What was then said to the pair in the other order; None where one order was asked.
    """

    row_id: str
    prompt_group: str
    label: float
    prediction: float
    reward: float
    parse_ok: bool
    truncated: bool = False
    pair_id: str | None = None
    strength: float = 1.0
    acc: float = 0.0
    swap_consistent: float = 0.0
    answer_swapped: str | None = None

    @property
    def has_label(self) -> bool:
        """Whether there is a truth to hold the answer against; a row without one has the label NaN."""
        return not math.isnan(self.label)

    @property
    def is_joint(self) -> bool:
        """Whether the pair was asked in both orders at once; `prediction` is then that of its own order."""
        return self.answer_swapped is not None

    @property
    def hits(self) -> float:
        """Share of its verdicts that are right: 0 or 1 of one verdict, also 0.5 where both orders were asked.

        >>> ScoredRow("r", "g", -1, -1, 1, True, acc=0.5, answer_swapped="<better>A</better>").hits
        0.5
        """
        return self.acc if self.is_joint else float(self.prediction == self.label)
