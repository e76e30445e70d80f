"""verl's dataset: prepared rows with the exact token ids that the engine is to read."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import torch
from torch.utils.data import Dataset

IDENTITY: Final = ("row_id", "prompt_group", "pair_id", "data_source", "sample")
TRUTH: Final = ("label", "strength", "scale_low", "scale_high")
COLUMNS: Final = (*IDENTITY, *TRUTH, "messages", "messages_swapped")


class PreparedRows(Dataset):  # type: ignore[misc]
    """Rows of one split, in file order.

    An item holds what verl 0.9.1 wants (`raw_prompt`, `index`, one tensor, `data_source`, `reward_model`) and
    `rrm`, the row's identity and truth, which reach agent loop and reward manager. `raw_prompt_ids` is what
    our agent loop sends to the engine, so a prompt is templated once, here; a pair that is to be judged both
    ways round has `raw_prompt_ids_swapped` too.
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
        self._encode = encoder_of(tokenizer)
        self._template_arguments = dict(config.get("apply_chat_template_kwargs") or {})
        self._rows = [row for file in files for row in _read(Path(file))]
        if max_samples > 0:
            self._rows = self._rows[:max_samples]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self._rows[index]
        messages = [dict(message) for message in row["messages"]]
        swapped = row["messages_swapped"]
        return {
            "raw_prompt": messages,
            "raw_prompt_ids": self._ids(messages),
            **({"raw_prompt_ids_swapped": self._ids(swapped)} if swapped is not None else {}),
            # verl asks for at least one tensor in a row.
            "dummy_tensor": torch.tensor([0], dtype=torch.uint8),
            "index": index,
            "data_source": row["data_source"],
            "reward_model": {"style": "rule", "ground_truth": str(row["label"])},
            "extra_info": {"index": index},
            "tools_kwargs": {},
            "interaction_kwargs": {},
            "rrm": {name: row[name] for name in ("split", *IDENTITY, *TRUTH)},
        }

    def _ids(self, messages: Sequence[dict[str, str]]) -> list[int]:
        # In two steps, exactly as the prompt was measured when the rows were prepared.
        text = self._tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            add_generation_prompt=True,
            tokenize=False,
            **self._template_arguments,
        )
        return self._encode(text)


def encoder_of(tokenizer: Any) -> Callable[[str], list[int]]:
    """Return what turns rendered prompts into token ids, without special tokens of its own.

    A fast tokenizer is asked directly, and for ids alone: what transformers wraps around each call takes as
    long as the call, and nobody asks where in the text each token stands. Of a copy, as calls by others leave
    their padding and truncation in the original.
    """
    if not getattr(tokenizer, "is_fast", False):
        return lambda text: [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
    backend = copy.deepcopy(tokenizer.backend_tokenizer)
    backend.no_padding()
    backend.no_truncation()
    return lambda text: list(backend.encode_batch_fast([text], add_special_tokens=False)[0].ids)


def _read(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(file, columns=list(COLUMNS)).to_pylist()
    return [{**row, "split": file.stem} for row in rows]
