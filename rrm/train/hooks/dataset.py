"""verl's dataset: prepared rows with the exact token ids that the engine is to read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from torch.utils.data import Dataset

COLUMNS = ("row_id", "prompt_group", "data_source", "messages", "label", "scale_low", "scale_high")


class PreparedRows(Dataset):  # type: ignore[misc]
    """Rows of one split, in file order.

    An item holds what verl 0.9.1 wants (`raw_prompt`, `index`, one tensor, `data_source`, `reward_model`) and
    `rrm`, the row's identity, which reaches agent loop and reward manager. `raw_prompt_ids` is what our agent
    loop sends to the engine, so a prompt is templated once, here.
    """

    def __init__(
        self,
        data_files: str | Sequence[str],
        tokenizer: Any,
        config: Any,
        processor: Any = None,
        max_samples: int = -1,
    ) -> None:
        files = [data_files] if isinstance(data_files, str) else list(data_files)
        self._tokenizer = tokenizer
        self._template_arguments = dict(config.get("apply_chat_template_kwargs") or {})
        self._rows = [row for file in files for row in _read(Path(file))]
        if max_samples > 0:
            self._rows = self._rows[:max_samples]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self._rows[index]
        messages = [dict(message) for message in row["messages"]]
        # In two steps, exactly as the prompt was measured when the rows were prepared.
        text = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, **self._template_arguments
        )
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return {
            "raw_prompt": messages,
            "raw_prompt_ids": [int(token) for token in ids],
            # verl asks for at least one tensor in a row.
            "dummy_tensor": torch.tensor([0], dtype=torch.uint8),
            "index": index,
            "data_source": row["data_source"],
            "reward_model": {"style": "rule", "ground_truth": str(row["label"])},
            "extra_info": {"index": index},
            "tools_kwargs": {},
            "interaction_kwargs": {},
            "rrm": {
                "split": row["split"],
                "row_id": row["row_id"],
                "prompt_group": row["prompt_group"],
                "label": row["label"],
                "scale_low": row["scale_low"],
                "scale_high": row["scale_high"],
            },
        }


def _read(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(file, columns=list(COLUMNS)).to_pylist()
    return [{**row, "split": file.stem} for row in rows]
