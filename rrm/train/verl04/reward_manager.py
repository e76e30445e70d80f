"""verl 0.4.0's reward manager: a batch of answers goes in, their scores and `Outcome`s come out.

Takes the place of verl's own, which hands on the text alone: whether an answer was cut off shows in the
token ids.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import torch

from rrm.train.attempt import attempt_of
from rrm.train.end_ids import end_ids
from rrm.train.recorder import StepAnswers
from rrm.train.scorer import Answer, Scorer
from rrm.train.step_metrics import HOOK_SECONDS

IDENTITY: Final = ("row_id", "prompt_group", "pair_id")


class RrmRewardManager:
    """Scores whole batches in verl's driver; `last` is what it said last."""

    def __init__(self, config: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._scorer = Scorer(attempt_of(config.rrm).run.intent)
        self._end_ids = end_ids(config.actor_rollout_ref.model.path, tokenizer)
        self.last: StepAnswers | None = None

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
        self.last = StepAnswers(keys, infos, scores, expected=len(keys))
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


def keys_of(uids: Any, count: int) -> list[str]:
    """Return `{prompt}_{session}_{answer}` of each answer; without ids each has a prompt of its own."""
    seen: dict[str, int] = {}
    keys = []
    for uid in range(count) if uids is None else uids:
        session = seen.get(str(uid), 0)
        seen[str(uid)] = session + 1
        keys.append(f"{uid}_{session}_0")
    return keys
