"""`python -m rrm.train.verl04.merge --local_dir ACTOR --target_dir DIR`: shards to a Hugging Face folder.

The wheel of verl 0.4.0 has no merger, and the newer one's wants files that the older one does not write.
This one needs neither verl: torch and transformers only.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch.distributed.tensor import DTensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

SHARD: Final = re.compile(r"model_world_size_([0-9]+)_rank_([0-9]+)\.pt")


def main() -> int:
    """Merge one checkpoint; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rrm.train.verl04.merge", description=__doc__)
    parser.add_argument("--local_dir", type=Path, required=True, help="folder `actor` of a checkpoint")
    parser.add_argument("--target_dir", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        merge(arguments.local_dir, arguments.target_dir)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def merge(actor: Path, target: Path) -> None:
    """Write weights (bfloat16), configuration and tokenizer.

    Raises:
        ValueError: a rank's shard is missing, or is of a kind that is not FSDP2's.
    """
    beside = actor / "huggingface"  # where the newer engine keeps configuration and tokenizer
    source = beside if beside.is_dir() else actor
    with torch.device("meta"):
        config = AutoConfig.from_pretrained(source)
        model: Any = AutoModelForCausalLM.from_config(config, torch_dtype=torch.bfloat16)  # type: ignore[no-untyped-call]
    model.load_state_dict(merged([load(path) for path in shards(actor)]), assign=True)
    model.tie_weights()  # each rank's file holds shared weights twice
    if (source / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(source)
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(source).save_pretrained(target)


def shards(actor: Path) -> list[Path]:
    """Return the shards of all ranks in their order.

    Raises:
        ValueError: one is missing.
    """
    found = {}
    worlds = set()
    for path in actor.glob("model_world_size_*.pt"):
        if match := SHARD.fullmatch(path.name):
            worlds.add(int(match[1]))
            found[int(match[2])] = path
    if len(worlds) != 1 or sorted(found) != list(range(next(iter(worlds)))):
        names = ", ".join(sorted(path.name for path in found.values())) or "none"
        raise ValueError(f"{actor}: expected the shards of all ranks of one world size, found {names}")
    return [found[rank] for rank in sorted(found)]


def load(path: Path) -> dict[str, Any]:
    """Return the tensors of one rank."""
    # Our own trainer's file: a DTensor is more than weights.
    shard: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return shard


def merged(ranks: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Return the whole tensors in bfloat16.

    Raises:
        ValueError: a tensor is split over more than one dimension of the machine.
    """
    return {name: _whole(name, [rank[name] for rank in ranks]).bfloat16() for name in ranks[0]}


def _whole(name: str, parts: Sequence[Any]) -> torch.Tensor:
    first: Any = parts[0]
    if not isinstance(first, DTensor):
        return torch.as_tensor(first)  # not split: all ranks hold the same
    if len(first.placements) != 1:
        raise ValueError(f"{name}: expected one split over all ranks, found {first.placements}")
    placement = first.placements[0]
    if placement.is_replicate():
        return first.to_local()
    whole = torch.cat([part.to_local() for part in parts], dim=placement.dim)
    if whole.shape != first.shape:
        raise ValueError(f"{name}: expected a tensor of {tuple(first.shape)}, found {tuple(whole.shape)}")
    return whole


if __name__ == "__main__":
    sys.exit(main())
