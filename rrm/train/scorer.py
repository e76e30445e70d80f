"""From a session's answers to its outcome, whichever trainer asks: our rewards, or the user's function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rrm.datasets import label_of, scale_of
from rrm.plugins.rewards import UserReward, ground_truth_of, user_reward
from rrm.reasoning import resolve_reasoning
from rrm.rewards import joint_outcome, score_answer
from rrm.rewards.outcome import Outcome
from rrm.templates.choose import template_for
from rrm_api.run import Intent


@dataclass(frozen=True)
class Answer:
    """What a judge wrote, without special tokens, and whether the length limit ended it."""

    text: str
    is_cut: bool


class Scorer:
    """Scores sessions of one training."""

    def __init__(self, intent: Intent) -> None:
        source = intent.data.train[0]
        self._reward = intent.reward
        self._scale = scale_of(source, intent.method)
        self._template = template_for(
            intent,
            label=label_of(source),
            scale=self._scale,
            reasoning=resolve_reasoning(intent.model),
        )
        self._method = intent.method
        self._user: UserReward | None = None
        if intent.reward.entry_point is not None:
            weight = float(intent.reward.format_weight)
            self._user = user_reward(intent.reward.entry_point, format_weight=weight)

    @property
    def is_users(self) -> bool:
        """Whether the user's own function pays."""
        return self._user is not None

    def score(self, row: Mapping[str, Any], answers: Sequence[Answer]) -> Outcome:
        """Return the outcome of a session.

        Args:
            row: `label`, `strength`, `data_source` and `sample` of the prepared row, and `ground_truth` where
                a dataset class of the user says it in its own words.
            answers: One, or those to the pair in its own and in the other order.
        """
        outcomes = [self._one(row, answer, is_swapped=bool(order)) for order, answer in enumerate(answers)]
        if len(outcomes) == 1:
            return outcomes[0]
        first, second = outcomes
        return joint_outcome(first, second, reward=self._reward)

    def _one(self, row: Mapping[str, Any], answer: Answer, *, is_swapped: bool) -> Outcome:
        label, strength = float(row["label"]), float(row["strength"])
        if self._user is not None:
            return self._user.score(
                answer.text,
                data_source=row["data_source"],
                ground_truth=row.get("ground_truth", ground_truth_of(label, self._method)),
                extra_info=row["sample"],
                label=label,
                scale=self._scale,
                template=self._template,
                strength=strength,
                is_cut=answer.is_cut,
            )
        return score_answer(
            answer.text,
            -label if is_swapped else label,
            template=self._template,
            scale=self._scale,
            reward=self._reward,
            strength=strength,
            is_cut=answer.is_cut,
        )
