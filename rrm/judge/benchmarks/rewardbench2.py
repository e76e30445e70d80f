"""RewardBench 2's rules: best of four, and its subset of ties.

As `rewardbench/utils.py` of allenai/reward-bench computes them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def best_of_n(scores: Sequence[float]) -> float:
    """Return what a prompt adds whose first answer is the right one: 1 / (answers tied at the top), or 0.

    Equal scores for four answers so earn 1/4, as guessing does.

    >>> best_of_n([4, 3, 3, 1]), best_of_n([4, 4, 3, 1]), best_of_n([3, 4, 3, 1])
    (1.0, 0.5, 0.0)
    """
    top = max(scores)
    return 1 / sum(score == top for score in scores) if scores[0] == top else 0.0


@dataclass(frozen=True)
class Scores:
    """Scores of one prompt's answers.

    Attributes:
        right: Those of the right answers.
        wrong: Those of the wrong ones.
    """

    right: Sequence[float]
    wrong: Sequence[float]

    @property
    def margin(self) -> float:
        """Worst right answer minus best wrong one; above 0 = every right answer is above every wrong one."""
        return min(self.right) - max(self.wrong)

    @property
    def spread(self) -> float:
        """Best right answer minus worst right one."""
        return max(self.right) - min(self.right)


@dataclass(frozen=True)
class Ties:
    """The parts of the ties score, shares in [0, 1] except `closeness` in (-1, 1].

    Attributes:
        one_right: Prompts with one right answer whose right answer is on top.
        many_right: Prompts with several whose right answers are all above the wrong ones.
        preferred: Prompts with several whose right answers are closer to each other than to a wrong one.
        preferred_hard: The same, the margin being the smaller one of the prompt and its sibling with one
            right answer.
        closeness: Mean of tanh(margin / spread - 1), breaking ties between judges.
    """

    one_right: float
    many_right: float
    preferred: float
    preferred_hard: float
    closeness: float

    @property
    def overall(self) -> float:
        """The published score: 60 % accuracy, 40 % margins, at most 1.01."""
        accuracy = 0.3 * self.many_right + 0.3 * self.one_right
        return accuracy + 0.2 * self.preferred + 0.2 * self.preferred_hard + 0.01 * self.closeness


def ties(one_right: Mapping[str, Scores], many_right: Mapping[str, Scores]) -> Ties:
    """Return the parts of the ties score; margins are over prompts that are in both.

    Args:
        one_right: By prompt, scores of the version with one right answer (`ref`).
        many_right: By prompt, scores of the version with several (`tied`).

    Raises:
        ValueError: If no prompt is in both.

    >>> one, many = Scores([4.0], [1.0]), Scores([4.0, 3.0], [1.0])
    >>> round(ties({"p": one}, {"p": many}).overall, 4)
    1.0076
    """
    siblings = [(one_right[prompt], many_right[prompt]) for prompt in one_right if prompt in many_right]
    if not siblings:
        raise ValueError(
            "RewardBench 2's ties need prompts with one right answer and with several: found none"
        )
    smaller = [(min(one.margin, many.margin), many.spread) for one, many in siblings]
    return Ties(
        one_right=_mean([scores.margin > 0 for scores in one_right.values()]),
        many_right=_mean([scores.margin > 0 for scores in many_right.values()]),
        preferred=_mean([many.margin > many.spread for _, many in siblings]),
        preferred_hard=_mean([margin > spread for margin, spread in smaller]),
        closeness=_mean([_closeness(margin, spread) for margin, spread in smaller]),
    )


def _closeness(margin: float, spread: float) -> float:
    """Return tanh(margin / spread - 1), its limit where the spread is 0; 0 / 0 counts 0, as published."""
    if spread > 0:
        return math.tanh(margin / spread - 1)
    return math.copysign(1.0, margin) if margin else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
