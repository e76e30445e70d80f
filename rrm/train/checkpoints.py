"""Which checkpoints are whole, which one to resume from, which to delete, which is best.

verl's layout below the checkpoint folder:

    latest_checkpointed_iteration.txt      the tracker: step of the last finished save, written last
    global_step_12/data.pt                 state of the data loader
    global_step_12/actor/{model,optim,extra_state}_world_size_2_rank_0.pt, ..._rank_1.pt
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm_api.status import CheckpointsStatus

TRACKER: Final = "latest_checkpointed_iteration.txt"
FEWEST_KEPT: Final = 2
CLOCK_SKEW_SECONDS: Final = 60.0
"""How much the clocks of two nodes that write to one volume may differ; saves lie further apart."""
_STEP: Final = re.compile(r"global_step_([0-9]+)")
_SHARD: Final = re.compile(r"actor/(model|optim|extra_state)_world_size_([0-9]+)_rank_([0-9]+)\.pt")
_PARTS: Final = ("model", "optim", "extra_state")


@dataclass(frozen=True)
class File:
    """One file of a checkpoint: path below its folder, size in bytes, time of the last change in seconds."""

    name: str
    size: int
    changed: float


@dataclass(frozen=True)
class Tracker:
    """Step of the last finished save, and when that was written (seconds)."""

    step: int
    changed: float


@dataclass(frozen=True)
class Checkpoint:
    """A folder `global_step_N`, whole or not; `size` in bytes."""

    step: int
    path: Path
    is_whole: bool
    size: int


@dataclass(frozen=True)
class Start:
    """Where an attempt begins.

    Attributes:
        resume_from: Checkpoint to load; None = the untrained model.
        is_complete: All steps are done and saved: nothing is left to train.
        skipped: Newer checkpoints that are not whole, oldest first.
    """

    resume_from: Checkpoint | None
    is_complete: bool
    skipped: tuple[Checkpoint, ...] = ()

    @property
    def step(self) -> int:
        """Steps already done."""
        return self.resume_from.step if self.resume_from else 0

    def told(self) -> str:
        """Return where it begins, and which interrupted saves it passes over, in one line for the log."""
        begins = f"going on from {self.resume_from.path.name}" if self.resume_from else "starting at step 0"
        broken = ", ".join(checkpoint.path.name for checkpoint in self.skipped)
        return f"{begins}; skipping {broken}: the save was interrupted" if broken else begins


def is_whole(step: int, files: Iterable[File], tracker: Tracker | None) -> bool:
    """Tell whether a save ended: all ranks of all parts are there and the tracker was written after them.

    A step above the tracker's, or a file clearly newer than the tracker, is a save that was interrupted.

    >>> parts = ("model", "optim", "extra_state")
    >>> shards = [File(f"actor/{p}_world_size_1_rank_0.pt", 9, 1.0) for p in parts]
    >>> files = [*shards, File("data.pt", 9, 1.0)]
    >>> is_whole(12, files, Tracker(12, 2.0)), is_whole(12, files[1:], Tracker(12, 2.0))
    (True, False)
    """
    listed = list(files)
    if tracker is None or step > tracker.step:
        return False
    if any(file.changed > tracker.changed + CLOCK_SKEW_SECONDS for file in listed):
        return False
    present = {file.name for file in listed if file.size > 0}
    shards = [match.groups() for name in present if (match := _SHARD.fullmatch(name))]
    worlds = {int(world) for _, world, _ in shards}
    if "data.pt" not in present or len(worlds) != 1:
        return False
    ranks = range(worlds.pop())
    return {(part, int(rank)) for part, _, rank in shards} == {(p, r) for p in _PARTS for r in ranks}


def decide_start(checkpoints: Iterable[Checkpoint], total_steps: int) -> Start:
    """Return where to begin: after the last whole checkpoint, or nowhere if it is the last step's."""
    known = sorted(checkpoints, key=lambda checkpoint: checkpoint.step)
    last = max((c for c in known if c.is_whole), key=lambda checkpoint: checkpoint.step, default=None)
    newer = tuple(c for c in known if not c.is_whole and c.step > (last.step if last else 0))
    return Start(last, is_complete=last is not None and last.step >= total_steps, skipped=newer)


def resumed_step(resume_mode: str, resume_from: str | None) -> int | None:
    """Return the step that verl's configuration says to go on from; None = from the untrained model.

    >>> resumed_step("resume_path", "/mnt/rrm/judge/global_step_12"), resumed_step("disable", None)
    (12, None)
    """
    if resume_mode != "resume_path" or resume_from is None:
        return None
    return int(Path(resume_from).name.removeprefix("global_step_"))


def best_step(whole: Iterable[int], rewards: Mapping[int, float]) -> int | None:
    """Return the whole checkpoint with the highest validation reward; the earlier one wins a tie.

    >>> best_step([12, 24], {0: .9, 12: .6, 24: .6}), best_step([12], {})
    (12, None)
    """
    judged = sorted(step for step in whole if step in rewards)
    return max(judged, key=lambda step: rewards[step], default=None)


def steps_to_delete(
    checkpoints: Iterable[Checkpoint], *, keep_last: int, best: int | None, resumed_from: int | None
) -> list[int]:
    """Return the steps whose folders may go.

    Kept: the newest `keep_last` whole ones, the best, the one resumed from, and never fewer than two whole
    ones. An interrupted save goes once a newer whole one exists.
    """
    known = sorted(checkpoints, key=lambda checkpoint: checkpoint.step)
    whole = [checkpoint.step for checkpoint in known if checkpoint.is_whole]
    kept = {*whole[-max(keep_last, FEWEST_KEPT) :], best, resumed_from}
    newest = whole[-1] if whole else -1
    broken = [c.step for c in known if not c.is_whole and c.step < newest and c.step != resumed_from]
    return sorted([step for step in whole if step not in kept] + broken)


def list_checkpoints(folder: Path) -> list[Checkpoint]:
    """Return the checkpoints of a folder, oldest first; none if the folder is absent."""
    tracker = _read_tracker(folder / TRACKER)
    found = []
    for path in folder.glob("global_step_*"):
        if match := _STEP.fullmatch(path.name):
            files = _list_files(path)
            step = int(match[1])
            size = sum(file.size for file in files)
            found.append(Checkpoint(step, path, is_whole=is_whole(step, files, tracker), size=size))
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def _list_files(folder: Path) -> list[File]:
    stats = ((path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file())
    return [File(path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime) for path, stat in stats]


def _read_tracker(path: Path) -> Tracker | None:
    if not path.is_file():
        return None
    text = path.read_text().strip()
    return Tracker(int(text), path.stat().st_mtime) if text.isdigit() else None


def prune(folder: Path, *, keep_last: int, best: int | None, resumed_from: int | None) -> list[int]:
    """Delete the checkpoints that need not be kept; returns their steps."""
    steps = steps_to_delete(
        list_checkpoints(folder), keep_last=keep_last, best=best, resumed_from=resumed_from
    )
    for step in steps:
        shutil.rmtree(folder / f"global_step_{step}")
    return steps


def status_of(folder: Path, rewards: Mapping[int, float], *, volume: Path) -> CheckpointsStatus:
    """Return what the training's status says about its checkpoints; paths are those inside the volume."""
    whole = {c.step: c for c in list_checkpoints(folder) if c.is_whole}
    if not whole:
        return CheckpointsStatus()
    latest, best = max(whole), best_step(whole, rewards)
    return CheckpointsStatus(
        latest_step=latest,
        latest_path=str(whole[latest].path.relative_to(volume)),
        best_step=best,
        best_path=None if best is None else str(whole[best].path.relative_to(volume)),
        bytes=sum(checkpoint.size for checkpoint in whole.values()),
    )
