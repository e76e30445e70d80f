"""RM-Gallery's and OpenJudge's training datasets under the verl that is installed, their classes unchanged.

The prepared rows carry each sample as JSON. They are written as a parquet file of the shape that the user's
class reads, the class builds prompts and token ids of it, and each of its items goes on with the row's
identity. So the split, the seeds and the metrics are ours, and the prompts, ids and labels are the user's.
"""

import importlib.metadata
import inspect
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import torch
from torch.utils.data import Dataset

from rrm.errors import DataInvalid, PluginFailed
from rrm.plugins.contained import Raised, contained
from rrm.plugins.datasets import is_upstream_dataset, missing_hooks, reads_nested
from rrm.plugins.load import load_entry_point
from rrm.plugins.upstream_files import write_upstream_parquet
from rrm.train.hooks.dataset import COLUMNS, IDENTITY, TRUTH

SETTING: Final = "rrm_dataset"
"""Key of verl's `data` node: the entry point of the user's class."""
_PADDED: Final = ("input_ids", "attention_mask", "position_ids")
_FIRST_AGENT_LOOP: Final = (0, 7)
"""Since then verl pads by itself, and items with padded tensors collide with what it makes."""


class UpstreamRows(Dataset):  # type: ignore[misc]
    """Prepared rows seen through a dataset class of the user.

    An item is the class's own, with `raw_prompt` (verl from 0.7 on wants it) and `rrm` (the row's identity).
    `raw_prompt_ids` are the class's; our agent loop sends them to the engine as they are.
    """

    def __init__(
        self,
        data_files: str | Sequence[str],
        tokenizer: Any,
        config: Any,
        processor: Any = None,
        max_samples: int = -1,
        **_: Any,
    ) -> None:
        files = [data_files] if isinstance(data_files, str) else list(data_files)
        rows = [row for file in files for row in _read(Path(file))]
        self._rows = rows[:max_samples] if max_samples > 0 else rows
        cls = _upstream_class(str(config[SETTING]))
        self._folder = tempfile.TemporaryDirectory(prefix="rrm-rows-")
        written = Path(self._folder.name) / "rows.parquet"
        write_upstream_parquet(written, _samples(self._rows), is_nested=reads_nested(cls))
        self._own = make(cls, str(written), tokenizer, _with_all_rows(config, self._folder.name), processor)
        if len(self._own) != len(self._rows):
            raise PluginFailed(
                f"{cls.__name__}: expected a dataset of {len(self._rows)} rows, found {len(self._own)}; it "
                "must keep every row, as which ones train and which validate is decided already"
            )
        self._has_agent_loop = _version_of("verl") >= _FIRST_AGENT_LOOP

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self._rows[index]
        item = contained(lambda: self._item(index))
        if isinstance(item, Raised):
            raise PluginFailed(f"{type(self._own).__name__}, row {row['row_id']}: {item}")
        rrm = {name: row[name] for name in ("split", *IDENTITY, *TRUTH)}
        return {**item, "rrm": {**rrm, "ground_truth": item["reward_model"]["ground_truth"]}}

    def _item(self, index: int) -> dict[str, Any]:
        item = dict(self._own[index])
        if "raw_prompt" not in item:
            item["raw_prompt"] = self._own._build_messages(dict(self._own.dataframe[index]))
        item["raw_prompt_ids"] = [int(token) for token in item["raw_prompt_ids"]]
        item["index"] = index
        if not self._has_agent_loop:
            return item
        kept = {name: value for name, value in item.items() if name not in _PADDED}
        # verl asks for at least one tensor in a row, and for these two where there are no tools.
        dummy = torch.tensor([0], dtype=torch.uint8)
        return {"dummy_tensor": dummy, "tools_kwargs": {}, "interaction_kwargs": {}, **kept}


def make(cls: Any, file: str, tokenizer: Any, config: Any, processor: Any) -> Any:
    """Return an object of a user's dataset class, called as verl 0.4.0 calls it.

    Raises:
        PluginFailed: If its constructor takes other arguments, or raises.
    """
    values = {"data_files": file, "tokenizer": tokenizer, "config": config, "processor": processor}
    parameters = inspect.signature(cls).parameters
    takes_all = any(it.kind is inspect.Parameter.VAR_KEYWORD for it in parameters.values())
    known = {name: value for name, value in values.items() if takes_all or name in parameters}
    made = contained(lambda: cls(**known))
    if isinstance(made, Raised):
        raise PluginFailed(f"{cls.__name__}: its constructor raised {made}")
    return made


def _read(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(file, columns=list(COLUMNS)).to_pylist()
    return [{**row, "split": file.stem} for row in rows]


def _upstream_class(entry_point: str) -> Any:
    cls = load_entry_point(entry_point, field="spec.data entryPoint")
    if not is_upstream_dataset(cls):
        raise PluginFailed(
            f"{entry_point}: expected a subclass of RM-Gallery's BaseTrainDataset, found another"
        )
    if missing_hooks(cls):
        raise PluginFailed(
            f"{entry_point}: the class does not define {', '.join(missing_hooks(cls))}; "
            "RM-Gallery's BaseTrainDataset has four methods that a subclass must write"
        )
    return cls


def _samples(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    for row in rows:
        if row["sample"] is None:
            raise DataInvalid(
                expected="prepared rows that hold their samples",
                found="none",
                where=f"row {row['row_id']}",
                do="run `rrm prepare` again with this entry point",
            )
    return [str(row["sample"]) for row in rows]


def _with_all_rows(config: Any, folder: str) -> Any:
    """Return verl's `data` node as the class shall see it: it drops no row and returns the messages."""
    from omegaconf import OmegaConf, open_dict

    own = OmegaConf.create(OmegaConf.to_container(OmegaConf.create(config), resolve=True))
    with open_dict(own):
        own.filter_overlong_prompts = False
        own.return_raw_chat = True
        own.cache_dir = folder
    return own


def _version_of(distribution: str) -> tuple[int, int]:
    major, minor, *_ = importlib.metadata.version(distribution).split(".")
    return int(major), int(minor)
