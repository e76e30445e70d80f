"""verl 0.4.0's reward manager: a batch of answers goes in, their scores and `Outcome`s come out.

Takes the place of verl's own, which hands on the text alone: whether an answer was cut off shows in the
token ids.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from transformers import GenerationConfig

from rrm.train.attempt import attempt_of
from rrm.train.scorer import Answer, Scorer
from rrm.train.step_metrics import HOOK_SECONDS
from rrm.train.verl04.recorder import keys_of

IDENTITY: Final = ("row_id", "prompt_group", "pair_id")


@dataclass(frozen=True)
class Scored:
    """The answers of one batch in its order: their keys, what is known of each, what each earned."""

    keys: Sequence[str]
    infos: Sequence[dict[str, Any]]
    scores: Sequence[float]


class RrmRewardManager:
    """Scores whole batches in verl's driver; `last` is what it said last."""

    def __init__(self, config: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._scorer = Scorer(attempt_of(config.rrm).run.intent)
        self._end_ids = end_ids(config.actor_rollout_ref.model.path, tokenizer)
        self.last: Scored | None = None

    def __call__(self, data: Any, return_dict: bool = False) -> Any:
        """Return rewards (answers, tokens), each at its answer's last token; as a dict the rest too."""
        responses = data.batch["responses"]  # (answers, tokens)
        mask = data.batch["attention_mask"][:, -responses.shape[1] :]
        lengths = mask.sum(dim=1).tolist()
        rows = list(data.non_tensor_batch["rrm"])
        infos = [self._info(row, responses[i, : lengths[i]].tolist()) for i, row in enumerate(rows)]
        scores = [info.pop("score") for info in infos]
        rewards = torch.zeros_like(responses, dtype=torch.float32)
        for i, length in enumerate(lengths):
            rewards[i, max(length - 1, 0)] = scores[i]
        keys = keys_of(data.non_tensor_batch.get("uid"), len(rows))
        self.last = Scored(keys, infos, scores)
        if not return_dict:
            return rewards
        columns = {name: [info[name] for info in infos] for name in infos[0]}
        return {"reward_tensor": rewards, "reward_extra_info": {**columns, "uid": keys}}

    def _info(self, row: Mapping[str, Any], ids: list[int]) -> dict[str, Any]:
        start = time.perf_counter()
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        is_cut = not ids or ids[-1] not in self._end_ids
        outcome = self._scorer.score(row, [Answer(text, is_cut=is_cut)])
        identity = {name: str(row[name] or "") for name in IDENTITY}
        seconds = time.perf_counter() - start
        return {**outcome.as_metrics(), "score": outcome.score, **identity, HOOK_SECONDS: seconds}


def end_ids(model_path: str, tokenizer: Any) -> frozenset[int]:
    """Return the ids that end an answer: those of the generation config and the tokenizer's."""
    try:
        found = GenerationConfig.from_pretrained(model_path).eos_token_id
    except OSError:  # a model without generation_config.json
        found = None
    listed = found if isinstance(found, list) else [found]
    return frozenset(int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None)
