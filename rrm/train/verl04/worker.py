"""verl 0.4.0's worker with a rollout that samples by seed, in pieces of any size, and knows positions.

Imported where Ray unpickles the worker's class; the CPU's answers were installed when that process started.
"""

from collections.abc import Callable
from typing import Any, Final

import torch
from verl import DataProto
from verl.workers import rollout as rollouts
from verl.workers.fsdp_workers import ActorRolloutRefWorker
from verl.workers.rollout.hf_rollout import HFRollout

from rrm.train.seeds import request_seed

SEED: Final = "rrm_seed"
"""Name in a batch's `meta_info`: seed of everything that is sampled for it."""


class RrmWorker(ActorRolloutRefWorker):  # type: ignore[misc]
    """Trains and samples like verl's own, but for `SeededRollout` where transformers samples."""

    def _build_rollout(self, trust_remote_code: bool = False) -> Any:
        # verl looks the class up by this name each time.
        rollouts.HFRollout = SeededRollout
        return super()._build_rollout(trust_remote_code)


class SeededRollout(HFRollout):  # type: ignore[misc]
    """Answers of transformers' `generate`: the same ones for the same seed, prompts and weights."""

    def __init__(self, module: Any, config: Any) -> None:
        super().__init__(module, config)
        module.generate = from_mask(module.generate)

    def generate_sequences(self, prompts: DataProto) -> DataProto:
        """Return the answers to all prompts; verl's own fails for most numbers of prompts."""
        size = int(self.config.get("micro_batch_size") or len(prompts))
        pieces = [prompts[start : start + size] for start in range(0, len(prompts), size)]
        return DataProto.concat([self._generate_piece(piece, number) for number, piece in enumerate(pieces)])

    def _generate_piece(self, prompts: DataProto, number: int) -> DataProto:
        seed = prompts.meta_info.get(SEED)
        if seed is None:
            return self._generate_minibatch(prompts)
        # Training goes on with its own random numbers, which checkpoints hold.
        with torch.random.fork_rng():
            torch.manual_seed(request_seed(seed, rank(), number))
            return self._generate_minibatch(prompts)


def rank() -> int:
    """Return this process's place among those that share a batch."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def from_mask(generate: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `generate` that derives positions from the attention mask.

    verl 0.4.0 passes the prompt's positions; transformers 4.51 then gives the last one of them to every new
    token, and what comes out is garbage.
    """

    def generate_from_mask(*arguments: Any, **keywords: Any) -> Any:
        keywords.pop("position_ids", None)
        return generate(*arguments, **keywords)

    return generate_from_mask
