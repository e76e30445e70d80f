"""`rrm run training.yaml`: prepare, train and export on this machine, without Kubernetes."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rrm.cli.heavy import needs_trainer
from rrm.cli.prepare import CLAIMS, VOLUME, data_table, shown_progress
from rrm.cli.summary import render_summary
from rrm.cli.training_screen import TrainingScreen
from rrm.data.prepare import prepare
from rrm.data.report import read_report
from rrm.export.export import export
from rrm.intent_file import read_intent
from rrm.plugins.path import add_plugin_path
from rrm.train.attempt import Attempt, newest_attempt
from rrm.train.parent import Ended, child_command, run_child
from rrm_api.run import ExitCode, Intent, Layout, RunFile


def run(
    training: Annotated[Path, typer.Argument(help="training.yaml")],
    volume: Annotated[Path, typer.Option(help="Folder that stands for the training's claim")] = VOLUME,
    claims: Annotated[Path, typer.Option(help="Folder that holds each other claim under its name")] = CLAIMS,
    steps: Annotated[int | None, typer.Option(min=1, help="Train to this step instead of the spec's")] = None,
    ray_address: Annotated[str | None, typer.Option(help="An existing Ray cluster, such as `auto`")] = None,
    engine: Annotated[str | None, typer.Option(help="Version of verl, 0.9.1 or 0.4.0")] = None,
) -> int:
    """Prepare, train and export on this machine; a run that was interrupted goes on where it was."""
    console = Console()
    start = time.monotonic()
    intent = with_steps(read_intent(training), steps)
    add_plugin_path(intent, claims.resolve())
    needs_trainer(intent.accelerator, engine=engine)
    run_file = _prepare(intent, console, volume=volume.resolve(), claims=claims.resolve())
    number = newest_attempt(Layout(volume.resolve(), intent.name)) + 1
    attempt = Attempt(run=run_file, volume=volume.resolve(), claims=claims.resolve(), number=number)
    ended = _train(attempt, console, ray_address=ray_address)
    if ended.failure_class is not ExitCode.DONE:
        console.print(ended.log_tail, markup=False, highlight=False)
        typer.echo(f"{ended.reason}: {ended.message}", err=True)
        return int(ended.failure_class)
    if intent.export_enabled:
        with console.status("exporting"):
            export(run_file, volume=attempt.volume, claims=attempt.claims)
    console.print(render_summary(attempt.layout.root))
    console.print(f"total time {_minutes(time.monotonic() - start)}")
    return int(ExitCode.DONE)


def with_steps(intent: Intent, steps: int | None) -> Intent:
    """Return the intent with another number of steps, whatever the epochs hold."""
    if steps is None:
        return intent
    training = intent.training.model_copy(update={"max_steps": steps, "epochs": None})
    return intent.model_copy(update={"training": training})


def _prepare(intent: Intent, console: Console, *, volume: Path, claims: Path) -> RunFile:
    with shown_progress(console) as show:
        prepared = prepare(intent, layout=Layout(volume, intent.name), claims=claims, on_progress=show)
    console.print(data_table(prepared, read_report(Layout(volume, intent.name))))
    return RunFile(intent=intent, prepared=prepared)


def _train(attempt: Attempt, console: Console, *, ray_address: str | None) -> Ended:
    # A short path: Ray's sockets lie below it, and a Unix socket's path holds 107 bytes.
    temp = Path(tempfile.mkdtemp(prefix="rrm-", dir="/tmp"))
    console.print(f"training, attempt {attempt.number}; log: {attempt.job_log}")
    try:
        with TrainingScreen(console, attempt.run.prepared.total_steps) as screen:
            return run_child(attempt, child_command(attempt, ray_address=ray_address, ray_temp=temp), screen)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
