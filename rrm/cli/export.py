"""`rrm export`: the best or last whole checkpoint as a Hugging Face folder; the same in an export Job."""

from pathlib import Path
from typing import Annotated

import typer

from rrm.cli.heavy import needs_trainer
from rrm.cli.prepare import CLAIMS, VOLUME
from rrm.errors import InvalidSpec
from rrm.export.export import export as export_judge
from rrm.intent_file import read_intent
from rrm.plugins.path import add_plugin_path
from rrm.reporting import Ending, Job, end_with_record
from rrm.train.attempt import newest_attempt
from rrm_api.conditions import Reason
from rrm_api.run import CLAIMS_MOUNT, VOLUME_MOUNT, Layout, Role, RunFile


def export(
    run: Annotated[Path, typer.Argument(help="training.yaml, or the operator's run.json")],
    volume: Annotated[
        Path | None,
        typer.Option(
            help=f"Folder of the training's claim; default: {VOLUME}, for a run.json {VOLUME_MOUNT}"
        ),
    ] = None,
    claims: Annotated[
        Path | None,
        typer.Option(help=f"Folder of the other claims; default: {CLAIMS}, for a run.json {CLAIMS_MOUNT}"),
    ] = None,
) -> int:
    """Export the best or last whole checkpoint of a training."""
    is_in_pod = run.suffix == ".json"
    at = (volume or Path(VOLUME_MOUNT if is_in_pod else VOLUME)).resolve()
    others = (claims or Path(CLAIMS_MOUNT if is_in_pod else CLAIMS)).resolve()

    def work() -> Ending:
        run_file = read_run(run, at)
        add_plugin_path(run_file.intent, others)
        needs_trainer(run_file.intent.accelerator)
        exported = export_judge(run_file, volume=at, claims=others)
        message = f"step {exported.step} is a Hugging Face folder at {exported.path}"
        return Ending(Reason.EXPORTED, message, exported=exported)

    return end_with_record(Job(Role.EXPORT, _digest(run, at)), work)


def _digest(run: Path, volume: Path) -> str:
    try:
        return read_run(run, volume).digest()
    except InvalidSpec:
        return ""  # reported by the work itself, which reads the file again


def read_run(path: Path, volume: Path) -> RunFile:
    """Return the run file itself, or that of the newest attempt of a training.yaml's training.

    Raises:
        InvalidSpec: the file is neither, or the training was never run on this volume.
    """
    file = path if path.suffix == ".json" else _newest_copy(path, volume)
    try:
        return RunFile.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSpec(f"{file}: expected a run file: {error}") from error


def _newest_copy(path: Path, volume: Path) -> Path:
    layout = Layout(volume, read_intent(path).name)
    copy = layout.attempt(newest_attempt(layout)) / "run.json"
    if not copy.is_file():
        raise InvalidSpec(
            f"{path}: expected a training that was run on {volume}, found no attempt in {layout.root}"
        )
    return copy
