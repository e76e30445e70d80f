"""`rrm export`: the best or last whole checkpoint as a Hugging Face folder; the same in an export Job."""

from pathlib import Path
from typing import Annotated

import typer

from rrm.cli.heavy import needs_trainer
from rrm.cli.run import CLAIMS, VOLUME
from rrm.errors import InvalidSpec
from rrm.export.export import export as export_judge
from rrm.intent_file import read_intent
from rrm.reporting import Ending, Job, end_with_record
from rrm.train.attempt import newest_attempt
from rrm_api.conditions import Reason
from rrm_api.run import Layout, Role, RunFile


def export(
    run: Annotated[Path, typer.Argument(help="training.yaml, or the operator's run.json")],
    volume: Annotated[Path, typer.Option(help="Folder that stands for the training's claim")] = VOLUME,
    claims: Annotated[Path, typer.Option(help="Folder that holds each other claim under its name")] = CLAIMS,
) -> int:
    """Export the best or last whole checkpoint of a training."""
    run_file = read_run(run, volume.resolve())
    needs_trainer(run_file.intent.accelerator)

    def work() -> Ending:
        exported = export_judge(run_file, volume=volume.resolve(), claims=claims.resolve())
        message = f"step {exported.step} is a Hugging Face folder at {exported.path}"
        return Ending(Reason.EXPORTED, message, exported=exported)

    return end_with_record(Job(Role.EXPORT, run_file.digest()), work)


def read_run(path: Path, volume: Path) -> RunFile:
    """Return the run file itself, or that of the newest attempt of a training.yaml's training.

    Raises:
        InvalidSpec: the file is neither, or the training was never run on this volume.
    """
    if path.suffix == ".json":
        try:
            return RunFile.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidSpec(f"{path}: expected a run file: {error}") from error
    layout = Layout(volume, read_intent(path).name)
    copy = layout.attempt(newest_attempt(layout)) / "run.json"
    if not copy.is_file():
        raise InvalidSpec(
            f"{path}: expected a training that was run on {volume}, found no attempt in {layout.root}"
        )
    return RunFile.model_validate_json(copy.read_text(encoding="utf-8"))
