"""The identity of a training's folder: checkpoints of one training are never continued by another.

It is the spec's fingerprint, the digest of the prepared rows and the commit of the model: the last two may
change under an unchanged spec. A hub that moves on changes neither once there are checkpoints (`pinned`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from rrm.data.written import write_text
from rrm.errors import CheckpointMismatch
from rrm_api.run import Intent, Layout, fingerprint
from rrm_api.spec_data import Source, Validation

_COMPARED: Final = ("spec", "rows", "modelRevision")
_FOUND: Final = {
    "rows": "the prepared rows (a file was replaced, or this version renders them in another way)",
    "modelRevision": "the model's commit on the hub",
}
"""What is not a field of the spec, in words."""


@dataclass(frozen=True)
class Found:
    """What preparing found beyond the spec.

    Attributes:
        rows: Digest of what the rows say.
        model_revision: Commit of the model on the hub; None for weights on a claim.
        train_revisions: Commit of each training source; None for files on a claim.
        validation_revisions: The same of the validation sources.
        test_revisions: The same of the test sources.
        benchmark_revisions: The same of the benchmarks.
    """

    rows: str
    model_revision: str | None = None
    train_revisions: Sequence[str | None] = ()
    validation_revisions: Sequence[str | None] = ()
    test_revisions: Sequence[str | None] = ()
    benchmark_revisions: Sequence[str | None] = ()


def claim_identity(intent: Intent, layout: Layout, found: Found) -> None:
    """Write the identity, unless the folder's checkpoints depend on another.

    Without checkpoints another identity replaces the old one; what was measured under that is moved aside,
    and so are the attempts of a predecessor of the same name: this training counts its own from 1.

    Args:
        intent: What is wanted.
        layout: Where the training lies on the volume.
        found: What is about to be written, and where it is from.

    Raises:
        CheckpointMismatch: If there are checkpoints of another identity; names what differs.
    """
    wanted = {
        "spec": fingerprint(intent),
        "rows": found.rows,
        "modelRevision": found.model_revision,
        "trainRevisions": list(found.train_revisions),
        "validationRevisions": list(found.validation_revisions),
        "testRevisions": list(found.test_revisions),
        "benchmarkRevisions": list(found.benchmark_revisions),
    }
    if layout.identity.exists():
        kept, now = ({key: it[key] for key in _COMPARED} for it in (_read(layout), wanted))
        changed = sorted(differing(kept, now))
        if changed and has_checkpoints(layout.checkpoints):
            names = ", ".join(_FOUND.get(path, path) for path in changed)
            raise CheckpointMismatch(
                f"{layout.root}: expected checkpoints of this training, found those of one that differs in "
                f"{names}; undo that, or create a new training with another name, or remove the folder"
            )
        if changed:
            _set_measured_aside(layout)
    _hand_over(layout, intent.uid)
    write_text(layout.identity, json.dumps(wanted, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def pinned(intent: Intent, layout: Layout) -> Intent:
    """Return the intent at the hub's commits that the folder's checkpoints were made of, where it names none.

    A hub that moves on must not keep a training from going on.
    """
    if not layout.identity.exists() or not has_checkpoints(layout.checkpoints):
        return intent
    kept, data = _read(layout), intent.data
    update = {
        "train": _at_commits(data.train, kept["trainRevisions"]),
        "validation": _held_at_commits(data.validation, kept["validationRevisions"]),
        "test": _held_at_commits(data.test, kept.get("testRevisions", ())),
        "decontaminate": _at_commits(data.decontaminate, kept.get("benchmarkRevisions", ())),
    }
    revision = intent.model.revision or kept["modelRevision"]
    return intent.model_copy(
        update={
            "data": data.model_copy(update=update),
            "model": intent.model.model_copy(update={"revision": revision}),
        }
    )


def _held_at_commits(held: Validation | None, commits: Sequence[str | None]) -> Validation | None:
    if held is None or held.sources is None:
        return held
    return held.model_copy(update={"sources": _at_commits(held.sources, commits)})


def _at_commits(sources: Sequence[Source], commits: Sequence[str | None]) -> list[Source]:
    if len(sources) != len(commits):
        return list(sources)  # Other sources than those of the checkpoints: refused once they are read.
    pairs = zip(sources, commits, strict=True)
    return [source.model_copy(update={"revision": source.revision or commit}) for source, commit in pairs]


def _read(layout: Layout) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(layout.identity.read_text(encoding="utf-8"))
    return kept


def _set_measured_aside(layout: Layout) -> None:
    """Move what was measured of the untrained model: other rows, another reward, another base."""
    answers = ("attempt-*/validation-*.parquet", "predecessor-*/attempt-*/validation-*.parquet")
    measured = [
        layout.root / "validations.json",
        *(path for pattern in answers for path in layout.root.glob(pattern)),
    ]
    move_aside([path for path in measured if path.exists()], layout.root, prefix="replaced-")


def _hand_over(layout: Layout, uid: str) -> None:
    """Note whose folder this is; `rrm run` has no uid, and goes on with its own attempts."""
    owner = read_owner(layout)
    if owner is not None and owner != uid:
        kinds = ("attempt-*", "stop-*", "finished-*")
        attempts = [path for kind in kinds for path in layout.root.glob(kind)]
        move_aside(attempts, layout.root, prefix=f"predecessor-{owner[:8] or 'local'}-")
    write_text(_owner_file(layout), uid)


def read_owner(layout: Layout) -> str | None:
    """Return the uid of the training that was prepared here last; None if none ever was."""
    file = _owner_file(layout)
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _owner_file(layout: Layout) -> Path:
    return layout.identity.with_name("owner")


def move_aside(paths: Sequence[Path], root: Path, *, prefix: str) -> None:
    """Move files or folders below a root into its first free folder `<prefix><n>`, keeping their places."""
    if not paths:
        return
    aside = next(folder for n in count(1) if not (folder := root / f"{prefix}{n}").exists())
    for path in paths:
        target = aside / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)


def has_checkpoints(folder: Path) -> bool:
    """Return whether a folder holds any checkpoint, whole or not."""
    return any(folder.glob("global_step_*"))


def differing(kept: Any, wanted: Any, path: str = "") -> list[str]:
    """Return the paths at which two documents differ.

    >>> differing({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})
    ['a.b']
    """
    if isinstance(kept, dict) and isinstance(wanted, dict):
        keys = sorted(kept.keys() | wanted.keys())
        below = f"{path}." if path else ""
        return [fault for key in keys for fault in differing(kept.get(key), wanted.get(key), f"{below}{key}")]
    return [] if kept == wanted else [path]
