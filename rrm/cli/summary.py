"""The table that `rrm run` and the demo end with, from the files on the volume alone."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rrm.errors import VolumeUnavailable
from rrm.judge.baselines import Lift
from rrm.judge.measured import measure_lift
from rrm.train.attempt import Attempt, newest_attempt
from rrm.train.checkpoints import best_step, list_checkpoints
from rrm.train.validations import read_validations, rewards_of
from rrm_api.run import Layout, RunFile

COLUMNS = {
    "reward": "reward",
    "exact": "exact",
    "qwk": "QWK",
    "spearman": "Spearman",
    "mae": "MAE",
    "parse_rate": "readable",
}
"""Metric -> heading."""


@dataclass(frozen=True)
class Summary:
    """What a training left behind.

    Attributes:
        run: What was run.
        layout: Where it lies.
        attempt: Number of the newest attempt.
        base: Validation metrics of the untrained model; empty if not measured.
        best: Those of the best whole checkpoint; empty if there is none.
        best_step: Its step.
        whole: Steps of all whole checkpoints.
        lift: Over the best of base and floors; None if either side is missing or on other rows.
    """

    run: RunFile
    layout: Layout
    attempt: int
    base: dict[str, float]
    best: dict[str, float]
    best_step: int | None
    whole: tuple[int, ...]
    lift: Lift | None


def read_summary(training_folder: Path) -> Summary:
    """Return what lies in the folder of a training.

    Raises:
        VolumeUnavailable: no attempt was ever made there.
    """
    layout = Layout(training_folder.parent, training_folder.name)
    number = newest_attempt(layout)
    copy = layout.attempt(number) / "run.json"
    if not copy.is_file():
        raise VolumeUnavailable(
            f"{training_folder}: expected the folder of a training with attempts, found none"
        )
    run = RunFile.model_validate_json(copy.read_text())
    attempt = Attempt(run=run, volume=layout.volume, claims=Path(), number=number)
    validations = read_validations(attempt.validations)
    whole = tuple(c.step for c in list_checkpoints(layout.checkpoints) if c.is_whole)
    step = best_step(whole, rewards_of(validations))
    return Summary(
        run=run,
        layout=layout,
        attempt=number,
        base=validations.get(0, {}),
        best={} if step is None else validations[step],
        best_step=step,
        whole=whole,
        lift=None if step is None else measure_lift(run, layout, step, attempt.scale),
    )


def render_summary(training_folder: Path) -> Group:
    """Return floors, untrained and trained judge, the lift with its verdict, and where things are."""
    summary = read_summary(training_folder)
    return Group(_numbers(summary), Text(verdict_of(summary)), _places(summary))


def _numbers(summary: Summary) -> RenderableType:
    rows = summary.run.prepared.data.validation
    table = Table(title=f"{summary.run.intent.name}: {rows} validation rows, which also chose the checkpoint")
    table.add_column("", no_wrap=True)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for floor in summary.run.prepared.floors:
        table.add_row(f"floor {floor.name}", f"{float(floor.value):.3f}", *["-"] * (len(COLUMNS) - 1))
    table.add_section()
    table.add_row("untrained", *_cells(summary.base))
    trained = "trained" if summary.best_step is None else f"trained, step {summary.best_step}"
    table.add_row(trained, *_cells(summary.best))
    return table


def _cells(metrics: dict[str, float]) -> list[str]:
    return [f"{metrics[name]:.3f}" if name in metrics else "-" for name in COLUMNS]


def verdict_of(summary: Summary) -> str:
    """Return the lift with its interval and what it means, in one line."""
    lift = summary.lift
    if lift is None:
        return "lift: not measured, for base or checkpoint was not validated, or not on the same rows"
    interval = f"95 % interval {lift.low:+.3f} to {lift.high:+.3f}"
    return f"lift over {lift.reference}: {lift.value:+.3f} ({interval}): {lift.verdict}"


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
