"""From a training's folder on the volume to its exported judge."""

import json
import shutil
from pathlib import Path

from rrm.export.card import Numbers, judge_config, model_card
from rrm.export.errors import NoCheckpoint
from rrm.export.merge import merge
from rrm.judge.measured import measure
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import Checkpoint, best_step, list_checkpoints
from rrm.train.validations import read_validations, rewards_of
from rrm_api.run import Layout, RunFile
from rrm_api.spec_pods import ExportCheckpoint
from rrm_api.status import ExportStatus


def export(run: RunFile, *, volume: Path, claims: Path) -> ExportStatus:
    """Write the judge's folder and say what it holds.

    Args:
        run: The run; says which checkpoint is wanted.
        volume: Where the training's claim is mounted.
        claims: Folder below which the other claims are mounted.

    Raises:
        NoCheckpoint: none is whole.
        MergeFailed: the weights could not be merged.
    """
    attempt = Attempt(run=run, volume=volume, claims=claims, number=0)
    layout = attempt.layout
    validations = read_validations(attempt.validations)
    checkpoint = choose(
        list_checkpoints(layout.checkpoints), run.intent.export_checkpoint, rewards_of(validations)
    )
    partial = layout.export.with_name(f"{layout.export.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    merge(checkpoint.path, partial, run.intent)
    measured = measure(run, layout, checkpoint.step, attempt.scale)
    numbers = Numbers(
        step=checkpoint.step,
        base=validations.get(0, {}),
        trained=validations.get(checkpoint.step, {}),
        lift=measured.reward if measured else None,
        ranking=measured.ranking if measured else (),
        floors=measured.floors if measured else {},
    )
    config = judge_config(run, attempt.scale)
    (partial / "judge.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n")
    (partial / "README.md").write_text(model_card(run, numbers, attempt.scale))
    return _publish(partial, layout, checkpoint.step)


def choose(checkpoints: list[Checkpoint], wanted: ExportCheckpoint, rewards: dict[int, float]) -> Checkpoint:
    """Return the checkpoint to export; the last one too if none was validated.

    Raises:
        NoCheckpoint: none is whole; says what was found instead.
    """
    whole = {checkpoint.step: checkpoint for checkpoint in checkpoints if checkpoint.is_whole}
    if not whole:
        found = ", ".join(checkpoint.path.name for checkpoint in checkpoints) or "none at all"
        raise NoCheckpoint(f"expected a whole checkpoint to export, found only interrupted saves: {found}")
    best = best_step(whole, rewards)
    is_best = wanted is ExportCheckpoint.BEST and best is not None
    return whole[best if is_best and best is not None else max(whole)]


def _publish(partial: Path, layout: Layout, step: int) -> ExportStatus:
    for file in partial.iterdir():
        file.chmod(0o644)  # safetensors writes for its owner alone; a judge is there to be read
    # Two renames, for a folder cannot replace a folder that is not empty.
    old = layout.export.with_name(f"{layout.export.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if layout.export.exists():
        layout.export.rename(old)
    partial.rename(layout.export)
    shutil.rmtree(old, ignore_errors=True)
    return ExportStatus(path=str(layout.export.relative_to(layout.volume)), step=step)
