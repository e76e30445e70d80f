"""Four ways to score a judge that saw each pair in both orders, as papers and repositories do.

One recorded run of o1-mini on JudgeBench is 58.0, 65.7, 70.9 or 74.6 by rule and order alone, so a result
names its rule. `BOTH_RIGHT` is J1's on JudgeBench, `WIN_COUNT` JudgeBench's own (`utils/metrics.py`),
`MEAN` LatentGRM's, `SINGLE` the usual one on RewardBench.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import assert_never


class Rule(StrEnum):
    """How two verdicts on one pair become a score."""

    SINGLE = "single order"
    BOTH_RIGHT = "right in both orders"
    WIN_COUNT = "win count over both orders"
    MEAN = "mean of both orders"


@dataclass(frozen=True)
class BothOrders:
    """The label of a pair and the verdicts on it, as the judge said them: -1 = the answer shown first.

    Attributes:
        label: Truth for the pair as it stands in the data: -1 = A, +1 = B, 0 = tie.
        first: Verdict on (A, B); None if unreadable.
        second: Verdict on (B, A), where -1 means B; None if unreadable.
    """

    label: int
    first: int | None
    second: int | None

    @property
    def verdicts(self) -> tuple[int | None, int | None]:
        """Both verdicts in the frame of the label."""
        return self.first, None if self.second is None else -self.second


def score_pair(pair: BothOrders, rule: Rule) -> Fraction:
    """Return what a pair adds: 0, 1/2 or 1. An unreadable verdict is neither right nor a vote.

    By win count a right verdict is a vote for, the opposite one a vote against, a tie or an unreadable one
    neither; only more votes for than against count.

    >>> pair = BothOrders(label=-1, first=-1, second=0)  # right, then a tie
    >>> [str(score_pair(pair, rule)) for rule in Rule]
    ['1', '0', '1', '1/2']
    """
    verdicts = pair.verdicts
    right = [verdict == pair.label for verdict in verdicts]
    match rule:
        case Rule.SINGLE:
            return Fraction(right[0])
        case Rule.BOTH_RIGHT:
            return Fraction(all(right))
        case Rule.WIN_COUNT:
            against = [pair.label != 0 and verdict == -pair.label for verdict in verdicts]
            return Fraction(sum(right) > sum(against))
        case Rule.MEAN:
            return Fraction(sum(right), 2)
        case _:
            assert_never(rule)


def accuracy(pairs: Sequence[BothOrders], rule: Rule) -> float:
    """Return the mean score of pairs, in [0, 1].

    Raises:
        ValueError: If there are no pairs.
    """
    if not pairs:
        raise ValueError("accuracy of no pairs: at least one is required")
    return float(sum(score_pair(pair, rule) for pair in pairs) / len(pairs))


def consistency(pairs: Sequence[BothOrders]) -> float:
    """Return the share of pairs on which both verdicts could be read and name the same answer, or both a tie.

    Raises:
        ValueError: If there are no pairs.
    """
    if not pairs:
        raise ValueError("consistency of no pairs: at least one is required")
    same = [a is not None and a == b for a, b in (pair.verdicts for pair in pairs)]
    return sum(same) / len(same)


def expected_of_coin(rule: Rule) -> float:
    """Return the expected accuracy of a fair coin per call that never says tie, on pairs without ties.

    >>> [expected_of_coin(rule) for rule in Rule]
    [0.5, 0.25, 0.25, 0.5]
    """
    outcomes = [BothOrders(-1, first, second) for first in (-1, 1) for second in (-1, 1)]
    return accuracy(outcomes, rule)


def expected_of_always_first(rule: Rule, share_a: float) -> float:
    """Return the expected accuracy of always naming the answer shown first.

    Args:
        rule: How pairs are scored.
        share_a: Share of pairs whose better answer stands first in the data, in [0, 1]; no ties.

    >>> [expected_of_always_first(rule, 0.551) for rule in Rule]
    [0.551, 0.0, 0.0, 0.5]
    """
    is_a, is_b = (float(score_pair(BothOrders(label, -1, -1), rule)) for label in (-1, 1))
    return share_a * is_a + (1 - share_a) * is_b
