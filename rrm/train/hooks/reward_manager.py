"""verl's reward manager: an answer's token ids go in, our `Outcome` comes out as verl's reward and metrics.

Whether an answer was cut off is decided here, from the ids: in the text special tokens are gone, and verl
maps the engine's reasons "stop" and "length" to one value.
"""

import time
from typing import Any

from transformers import GenerationConfig
from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from rrm.reasoning import resolve_reasoning
from rrm.rewards import score_answer
from rrm.scales import Scale
from rrm.train.attempt import attempt_of

IDENTITY = ("row_id", "prompt_group")
"""Texts among the metrics: verl leaves texts out of its means, our validation dumps need them."""


def end_ids(model_path: str, tokenizer: Any) -> frozenset[int]:
    """Return the ids that end an answer: those of the generation config and the tokenizer's."""
    try:
        found = GenerationConfig.from_pretrained(model_path).eos_token_id
    except OSError:  # a model without generation_config.json
        found = None
    listed = found if isinstance(found, list) else [found]
    return frozenset(int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None)


class RrmRewardManager(RewardManagerBase):  # type: ignore[misc]
    """Scores one answer at a time, in the reward process that verl chose."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any, **_: Any) -> None:
        super().__init__(config, tokenizer, compute_score)
        intent = attempt_of(config.rrm).run.intent
        self._reward = intent.reward
        self._reasoning = resolve_reasoning(intent.model)
        self._end_ids = end_ids(config.actor_rollout_ref.model.path, tokenizer)

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """Return reward and metrics of the answer; every path has the same keys."""
        start = time.perf_counter()
        row = data.non_tensor_batch["rrm"][-1]
        length = int(data.non_tensor_batch["response_len"][-1])
        ids = data.batch["responses"][-1][:length].tolist()  # (length,)
        outcome = score_answer(
            self.tokenizer.decode(ids, skip_special_tokens=True),
            row["label"],
            scale=Scale(int(row["scale_low"]), int(row["scale_high"])),
            reward=self._reward,
            reasoning=self._reasoning,
            is_cut=not ids or ids[-1] not in self._end_ids,
        )
        extra_fields = data.non_tensor_batch["tool_extra_fields"][-1]
        seconds = time.perf_counter() - start + extra_fields["rrm_loop_seconds"]
        identity = {name: str(row[name]) for name in IDENTITY}
        info = {**outcome.as_metrics(), **identity, "hook_seconds": seconds}
        return {"reward_score": outcome.score, "reward_extra_info": info}
