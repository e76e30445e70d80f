"""`ScoredRow`: one answer of a judge, as every metric here reads it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoredRow:
    """One answer of a judge to one row.

    Attributes:
        row_id: Row of the prepared data; several sampled answers share it.
        prompt_group: Rows of one prompt share it.
        label: Truth.
        prediction: Score that was read; of an unreadable answer the worst one for its label.
        reward: What the answer earned.
        parse_ok: Whether it could be read.
        truncated: Whether it was cut off at its longest allowed length.
        pair_id: Both orders of one pair share it, each a row of its own; None where only one is asked.
        strength: How clear the preference of a pair is, in [0, 1].
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
