"""verl 0.4.0's dataset: prepared rows, their prompts padded on the left to one length, and their order."""

from typing import Any

import torch
from torchdata.stateful_dataloader.sampler import RandomSampler

from rrm.train.hooks.dataset import PreparedRows


class PaddedRows(PreparedRows):
    """Rows of one split, in file order, as `PreparedRows` reads them.

    An item holds three tensors of `data.max_prompt_length` tokens (`input_ids`, `attention_mask`,
    `position_ids`), `raw_prompt_ids` for vLLM, what reward managers read, and `rrm`, the row's identity and
    truth.
    """

    def __init__(self, data_files: Any, tokenizer: Any, config: Any, processor: Any = None) -> None:
        super().__init__(data_files, tokenizer, config, processor)
        self._length = int(config.max_prompt_length)
        self._padding = int(tokenizer.pad_token_id)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = super().__getitem__(index)
        ids = row["raw_prompt_ids"]
        room = self._length - len(ids)
        if room < 0:
            raise ValueError(
                f"row {row['rrm']['row_id']}: the prompt has {len(ids)} tokens, at most {self._length} were "
                "promised when the rows were prepared"
            )
        mask = torch.tensor([0] * room + [1] * len(ids))  # (length,)
        kept = ("raw_prompt_ids", "index", "data_source", "reward_model", "extra_info", "rrm")
        return {
            "input_ids": torch.tensor([self._padding] * room + ids),
            "attention_mask": mask,
            "position_ids": (mask.cumsum(-1) - 1).clamp(min=0),
            **{name: row[name] for name in kept},
        }


def shuffled(settings: Any, rows: PaddedRows) -> RandomSampler:
    """Return the order of the rows, in place of verl's own.

    Its sampler begins its first shuffle anew when a run is resumed, whatever pass over the rows that is in;
    this one has its random state in the checkpoint.
    """
    generator = torch.Generator()
    generator.manual_seed(int(settings.seed))
    return RandomSampler(data_source=rows, generator=generator)
