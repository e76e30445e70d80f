"""`rrm prepare`: read, check, split and render the rows of a training; the same inside a prepare Job."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from rrm.data.parts import Progress
from rrm.data.prepare import prepare as prepare_rows
from rrm.data.report import read_report
from rrm.data.room import require_room
from rrm.errors import InvalidSpec
from rrm.intent_file import read_intent
from rrm.plugins.path import add_plugin_path
from rrm.reporting import Ending, Job, end_with_record
from rrm.train.attempt import Attempt
from rrm.train.weights import provide_weights
from rrm_api.conditions import Reason
from rrm_api.run import PROGRESS_CONFIG_MAP_ENV, Layout, Prepared, Role, RunFile

VOLUME = Path(".rrm/runs")
"""Default for every command: what one writes the next one reads."""
CLAIMS = Path(".rrm/claims")


def prepare(
    training: Annotated[Path, typer.Argument(help="training.yaml, or the operator's intent.json")],
    volume: Annotated[Path, typer.Option(help="Folder that stands for the training's claim")] = VOLUME,
    claims: Annotated[Path, typer.Option(help="Folder that holds each other claim under its name")] = CLAIMS,
) -> int:
    """Read, check, split and render the rows of a training."""
    console = Console()

    def work() -> Ending:
        intent = read_intent(training)
        add_plugin_path(intent, claims)
        layout = Layout(volume, intent.name)
        if PROGRESS_CONFIG_MAP_ENV in os.environ:
            # In the cluster alone: who looks at rows on a laptop does not train there.
            require_room(intent, layout, claims=claims)
        with shown_progress(console) as show:
            prepared = prepare_rows(intent, layout=layout, claims=claims, on_progress=show)
        console.print(data_table(prepared, read_report(layout)))
        if PROGRESS_CONFIG_MAP_ENV in os.environ:
            # In the cluster the weights come now, so that no GPU waits for them; nobody's laptop wants them.
            run = RunFile(intent=intent, prepared=prepared)
            provide_weights(Attempt(run=run, volume=volume, claims=claims, number=0))
        return Ending(Reason.DATA_PREPARED, summary(prepared), prepared=prepared)

    return end_with_record(Job(Role.PREPARE, _digest(training)), work)


@contextmanager
def shown_progress(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Show what preparing does: a moving line at a terminal, one line each in a log."""
    if not console.is_terminal:
        yield lambda progress: typer.echo(f"{progress.doing}: {progress.rows} rows")
        return
    with console.status("reading") as status:
        yield lambda progress: status.update(f"{progress.doing}: {progress.rows} rows")


def data_table(prepared: Prepared, report: Mapping[str, Any] | None = None) -> Table:
    """Return what became of the rows, and what answers earn that need no model.

    Args:
        prepared: What preparing resolved.
        report: The data report, which also knows the test rows, the order of pairs and the benchmarks.
    """
    report = report or {}
    parts: Mapping[str, Any] = report.get("parts", {})
    table = Table(title="Data", show_header=False)
    table.add_row("rows read", str(prepared.read_rows))
    table.add_row("training rows", str(prepared.data.train))
    table.add_row("validation rows", str(prepared.data.validation))
    if "test" in parts:
        table.add_row("test rows", str(parts["test"]["rows"]))
    for dropped in prepared.data.dropped:
        table.add_row(f"dropped: {dropped.reason}", str(dropped.rows))
    for row in (*_order_rows(parts), *_overlap_rows(report.get("decontamination", []))):
        table.add_row(*row)
    table.add_section()
    for floor in prepared.floors:
        table.add_row(f"floor: {floor.name}", f"{float(floor.value):.3f}")
    table.add_section()
    table.add_row("steps", str(prepared.total_steps))
    table.add_row("preset", prepared.preset)
    return table


def _order_rows(parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, part in parts.items():
        if order := part.get("order"):
            won = f"{order['firstWins']:.1%} of {order['untiedPairs']}"
            turned = f", {order['turned']} turned: {order['firstWinsAfter']:.1%}" if order["turned"] else ""
            yield f"first answer wins: {name}", won + turned


def _overlap_rows(benchmarks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in benchmarks:
        prompts, words = one["samePrompt"]["rows"], one["thirteenWords"]["rows"]
        yield f"overlap: {one['uri']}", f"{prompts} by prompt, {words} by 13 words in a row"


def summary(prepared: Prepared) -> str:
    """Return one sentence about prepared data."""
    data = prepared.data
    return (
        f"{data.train} training and {data.validation} validation rows of {prepared.read_rows} read, "
        f"{prepared.total_steps} steps"
    )


def _digest(training: Path) -> str:
    try:
        return read_intent(training).digest()
    except InvalidSpec:
        return ""  # reported by the work itself, which reads the file again
