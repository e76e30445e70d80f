"""Runs in the trainer's environment: compares two checkpoints tensor by tensor, bit by bit.

usage: compare_states.py SAVED RELOADED; prints parts, the number of tensors, and what differs, as JSON.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from leaves(member, f"{path}.{index}")
    else:
        yield path, value


def plain(value: Any) -> Any:
    """A sharded tensor's own part, others as they are."""
    return value.to_local() if hasattr(value, "to_local") else value


def state_of(folder: Path) -> dict[str, Any]:
    actor = folder / "actor"
    parts = {
        name: torch.load(actor / f"{name}_world_size_1_rank_0.pt", weights_only=False)
        for name in ("model", "optim")
    }
    extra = torch.load(actor / "extra_state_world_size_1_rank_0.pt", weights_only=False)
    data = torch.load(folder / "data.pt", weights_only=False)
    return {**parts, "lr_scheduler": extra["lr_scheduler"], "data": data}


saved, reloaded = (state_of(Path(argument)) for argument in sys.argv[1:3])
tensors, different = 0, []
one, other = (dict(leaves(state, "")) for state in (saved, reloaded))
for path in sorted(one.keys() | other.keys()):
    left, right = plain(one.get(path)), plain(other.get(path))
    if isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor):
        tensors += 1
        same = left.dtype == right.dtype and torch.equal(left, right)
    else:
        same = left == right
    if not same:
        different.append(path)
print("COMPARED " + json.dumps({"parts": sorted(saved), "tensors": tensors, "different": different}))
