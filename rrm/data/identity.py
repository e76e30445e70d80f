"""The fingerprint of a training's folder: checkpoints of one training are never continued by another."""

import json
from pathlib import Path
from typing import Any

from rrm.data.written import write_text
from rrm.errors import CheckpointMismatch
from rrm_api.run import Intent, Layout, fingerprint


def claim_identity(intent: Intent, layout: Layout) -> None:
    """Write the fingerprint of the intent, unless the folder's checkpoints depend on another.

    Raises:
        CheckpointMismatch: If there are checkpoints whose fingerprint differs; names the fields.
    """
    wanted = fingerprint(intent)
    if has_checkpoints(layout.checkpoints) and layout.identity.exists():
        kept = json.loads(layout.identity.read_text(encoding="utf-8"))
        changed = sorted(differing(kept, wanted))
        if changed:
            raise CheckpointMismatch(
                f"{layout.root}: expected checkpoints of this training, found those of one that differs in "
                f"{', '.join(changed)}; create a new training with another name, or remove the folder"
            )
    write_text(layout.identity, json.dumps(wanted, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def has_checkpoints(folder: Path) -> bool:
    """Return whether a folder holds any checkpoint, whole or not."""
    return any(folder.glob("global_step_*"))


def differing(kept: Any, wanted: Any, path: str = "spec") -> list[str]:
    """Return the paths at which two documents differ.

    >>> differing({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})
    ['spec.a.b']
    """
    if isinstance(kept, dict) and isinstance(wanted, dict):
        keys = sorted(kept.keys() | wanted.keys())
        return [fault for key in keys for fault in differing(kept.get(key), wanted.get(key), f"{path}.{key}")]
    return [] if kept == wanted else [path]
