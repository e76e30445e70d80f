"""The table that `rrm run` and the demo end with, from the files on the volume alone."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rrm.report.result import Summary, columns_of, read_summary, verdict_of


def render_summary(training_folder: Path) -> Group:
    """Return floors, untrained and trained judge, the lift with its verdict, and where things are."""
    summary = read_summary(training_folder)
    return Group(_numbers(summary), Text(verdict_of(summary.lift)), _places(summary))


def _numbers(summary: Summary) -> RenderableType:
    rows = summary.run.prepared.data.validation
    columns = columns_of(summary.run.intent.method)
    table = Table(title=f"{summary.run.intent.name}: {rows} validation rows, which also chose the checkpoint")
    table.add_column("", no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for floor in summary.run.prepared.floors:
        table.add_row(f"floor {floor.name}", f"{float(floor.value):.3f}", *["-"] * (len(columns) - 1))
    table.add_section()
    table.add_row("untrained", *_cells(summary.base, columns))
    trained = "trained" if summary.best_step is None else f"trained, step {summary.best_step}"
    table.add_row(trained, *_cells(summary.best, columns))
    return table


def _cells(metrics: dict[str, float], columns: dict[str, str]) -> list[str]:
    return [f"{metrics[name]:.3f}" if name in metrics else "-" for name in columns]


def _places(summary: Summary) -> RenderableType:
    layout = summary.layout
    attempt = layout.attempt(summary.attempt)
    steps = ", ".join(map(str, summary.whole)) or "none"
    lines = [
        f"whole checkpoints  {steps} in {layout.checkpoints}",
        f"exported judge     {layout.export if layout.export.is_dir() else 'none'}",
        f"job log            {attempt / 'job.log'}",
        f"metrics, answers   {attempt}",
    ]
    # Paths are for copying: folded where a line is too short for them, never cut.
    return Text("\n".join(lines), overflow="fold")
