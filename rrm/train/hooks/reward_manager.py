"""verl's reward manager: token ids of a session's answers go in, reward and metrics come out.

Whether an answer was cut off is decided here, from the ids: in the text special tokens are gone, and verl
maps the engine's reasons "stop" and "length" to one value. A session that judged a pair both ways round has
two answers and one joint outcome.
"""

import asyncio
import time
from typing import Any, Final

from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from rrm.plugins.rewards import UserOutcome
from rrm.rewards.outcome import Outcome
from rrm.train.attempt import attempt_of
from rrm.train.end_ids import end_ids
from rrm.train.scorer import Answer, Scorer

IDENTITY: Final = ("row_id", "prompt_group", "pair_id")
"""Texts among the metrics: verl leaves texts out of its means, our validation dumps need them."""


class RrmRewardManager(RewardManagerBase):  # type: ignore[misc]
    """Scores one session at a time, in the reward process that verl chose."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any, **_: Any) -> None:
        super().__init__(config, tokenizer, compute_score)
        self._scorer = Scorer(attempt_of(config.rrm).run.intent)
        self._end_ids = end_ids(config.actor_rollout_ref.model.path, tokenizer)

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """Return reward and metrics of a session; every path has the same keys."""
        start = time.perf_counter()
        row = data.non_tensor_batch["rrm"][0]
        answers = [self._answer(data, order) for order in range(len(data))]
        outcome = await self._scored(row, answers)
        loops = sum(fields["rrm_loop_seconds"] for fields in data.non_tensor_batch["tool_extra_fields"])
        texts = {name: str(row[name] or "") for name in IDENTITY}
        if isinstance(outcome, UserOutcome):
            texts["user_metrics"] = outcome.extras_text()
        # Per answer: verl repeats the session's numbers for each of its answers, and they are added up.
        seconds = (time.perf_counter() - start + loops) / len(answers)
        info = {**outcome.as_metrics(), **texts, "hook_seconds": seconds}
        return {"reward_score": outcome.score, "reward_extra_info": info}

    async def _scored(self, row: dict[str, Any], answers: list[Answer]) -> Outcome:
        if not self._scorer.is_users:
            return self._scorer.score(row, answers)
        # A user's function may take its time, or wait for others: not in the loop that feeds the engine.
        return await asyncio.to_thread(self._scorer.score, row, answers)

    def _answer(self, data: DataProto, order: int) -> Answer:
        # Several answers come padded to the longest one: only the lengths tell where each ends.
        length = int(data.non_tensor_batch["response_len"][order])
        ids = data.batch["responses"][order][:length].tolist()  # (length,)
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return Answer(text, is_cut=not ids or ids[-1] not in self._end_ids)
