"""verl's agent loop: one prompt, or a pair both ways round, each answered once with a seed of its own.

The dataset's token ids go to the engine as they are. Each request has its own seed, made from what identifies
it, so a resumed run draws the answers that an uninterrupted one would have drawn: the engine's random state
is in no checkpoint.
"""

import asyncio
import time
from typing import Any, Final
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput
from verl.utils.profiler import simple_timer

from rrm.train.seeds import request_seed

PROMPTS: Final = ("raw_prompt_ids", "raw_prompt_ids_swapped")
"""Columns with a row's prompts; the second one only where a pair is judged both ways round."""


class PromptOnceLoop(AgentLoopBase):  # type: ignore[misc]
    """Sends the row's own token ids once and returns the answers: one, or AB's and BA's of one session."""

    async def run(
        self, sampling_params: dict[str, Any], **row: Any
    ) -> AgentLoopOutput | list[AgentLoopOutput]:
        """Return the answers of one session.

        Raises:
            ValueError: a prompt is longer than the configured limit; prepared rows never are.
        """
        prompts = [row[column] for column in PROMPTS if row.get(column) is not None]
        asked = (self._ask(sampling_params, row, order, ids) for order, ids in enumerate(prompts))
        outputs = await asyncio.gather(*asked)
        return outputs[0] if len(outputs) == 1 else outputs

    async def _ask(
        self, sampling_params: dict[str, Any], row: dict[str, Any], order: int, prompt: Any
    ) -> AgentLoopOutput:
        start = time.perf_counter()
        ids = [int(token) for token in prompt]
        self._require_fitting(ids, row)
        # A copy: all sessions of a prompt share the dictionary.
        seeded = {**sampling_params, "seed": self._seed(row, order)}
        own_seconds = time.perf_counter() - start
        timing: dict[str, float] = {}
        with simple_timer("generate_sequences", timing):
            output = await self.server_manager.generate(
                request_id=uuid4().hex, prompt_ids=ids, sampling_params=seeded
            )
        start = time.perf_counter()
        limit = self.rollout_config.response_length
        answer = list(output.token_ids)[:limit]
        preempted = -1 if output.num_preempted is None else output.num_preempted
        return AgentLoopOutput(
            prompt_ids=ids,
            response_ids=answer,
            response_mask=[1] * len(answer),
            response_logprobs=output.log_probs[:limit] if output.log_probs else None,
            num_turns=2,
            metrics={**timing, "num_preempted": preempted},
            # The engine's own fields hold the weight versions that the trainer's staleness metrics need.
            extra_fields={
                **output.extra_fields,
                "turn_scores": [],
                "tool_rewards": [],
                "rrm_loop_seconds": own_seconds + time.perf_counter() - start,
            },
        )

    def _require_fitting(self, ids: list[int], row: dict[str, Any]) -> None:
        if len(ids) > self.rollout_config.prompt_length:
            raise ValueError(
                f"row {row['rrm']['row_id']}: the prompt has {len(ids)} tokens, at most "
                f"{self.rollout_config.prompt_length} were promised when the rows were prepared"
            )

    def _seed(self, row: dict[str, Any], order: int) -> int:
        rrm = row["rrm"]
        parts = (self.config.data.seed, rrm["split"], row["global_steps"], rrm["row_id"], row["session_id"])
        # The first order's seed is the one of a session without a second order.
        return request_seed(*parts, order) if order else request_seed(*parts)
