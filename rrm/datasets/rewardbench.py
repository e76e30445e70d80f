"""RewardBench 1 and 2: a prompt, answers that shall win and answers that shall lose.

One row of RewardBench, shortened:
    {"prompt": "...", "chosen": "...", "chosen_model": "GPT4-Turbo", "rejected": "...",
     "rejected_model": "bard", "subset": "alpacaeval-easy", "id": 0}
One row of RewardBench 2, shortened; the tie subset has many right and wrong answers:
    {"id": "0", "prompt": "...", "chosen": ["..."], "rejected": ["...", "...", "..."], "num_correct": 1,
     "num_incorrect": 3, "total_completions": 4, "models": ["...", ...], "subset": "Factuality",
     "additional_metadata": "..."}
RM-Gallery's ids of RewardBench depend on the prompt alone and collide; here they depend on the answers too.
It also reads `num_rejected`, which RewardBench 2 does not have: the column is `num_incorrect`. Source:
allenai/reward-bench and allenai/reward-bench-2, ODC-BY. Benchmarks: not to be trained on.
"""

from typing import Any

from rrm.datasets.build import CHOSEN, REJECTED, answer, pair_id, sample
from rrm.datasets.fields import Row, as_text, conversation, identifier, optional_text, require_columns, texts
from rrm.sample import DataSample

COUNTS = ("num_correct", "num_incorrect", "total_completions")


def convert_first(row: Row) -> list[DataSample]:
    """Return the sample of a RewardBench row, chosen answers first.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, ("prompt", "chosen", "rejected"))
    return [_sample(row, None, "rewardbench", {"subset": optional_text(row, "subset")})]


def convert_second(row: Row) -> list[DataSample]:
    """Return the sample of a RewardBench 2 row, chosen answers first.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, ("id", "prompt", "chosen", "rejected"))
    metadata = {"subset": optional_text(row, "subset"), "models": row.get("models")}
    counts = {name: row.get(name) for name in COUNTS}
    return [_sample(row, identifier(row, "id"), "rewardbench2", metadata | counts)]


def _sample(row: Row, unique_id: str | None, source: str, metadata: dict[str, Any]) -> DataSample:
    prompt = conversation(row["prompt"], "prompt")
    chosen, rejected = _answers(row["chosen"], "chosen"), _answers(row["rejected"], "rejected")
    outputs = [answer(said, CHOSEN) for said in chosen] + [answer(said, REJECTED) for said in rejected]
    return sample(
        unique_id or pair_id(prompt, *chosen, "", *rejected),
        prompt,
        outputs,
        source=source,
        task_category="conversation",
        metadata=metadata,
    )


def _answers(value: Any, name: str) -> list[str]:
    return [as_text(value, name)] if isinstance(value, str) else texts(value, name)
