"""`rrm compare A B`: two judges on the very same rows, with the difference, its interval and the settings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rrm.cli.prepare import VOLUME
from rrm.report.comparison import BETTER_IF_LOWER, Comparison, Difference, compare
from rrm.report.find import find_side
from rrm.report.result import HEADINGS
from rrm.report.words import plain
from rrm_api.run import ExitCode


def compare_trainings(
    first: Annotated[str, typer.Argument(help="A training, `name` or `name@step`, or its folder")],
    second: Annotated[str, typer.Argument(help="What it is compared with, likewise")],
    volume: Annotated[Path, typer.Option(help="Folder that stands for the trainings' claim")] = VOLUME,
) -> int:
    """Compare two trainings, or two steps of one, on the validation rows that both answered."""
    sides = find_side(first, volume), find_side(second, volume)
    comparison = compare(*sides)
    names = (sides[0].name, sides[1].name)
    if names[0] == names[1]:  # the same name on two volumes
        names = (str(sides[0].layout.root), str(sides[1].layout.root))
    console = Console()
    console.print(_numbers(comparison, names))
    console.print(Text(verdict_of(comparison, names)))
    console.print(_settings(comparison, names))
    return int(ExitCode.DONE)


def _numbers(comparison: Comparison, names: tuple[str, str]) -> Table:
    title = f"{comparison.rows} rows of {comparison.prompts} prompts, paired"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("")
    for name in names:
        table.add_column(Text(name), justify="right", overflow="fold")
    for heading in ("change", "95 % interval", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for difference in comparison.differences:
        table.add_row(*_cells(difference))
    return table


def _cells(difference: Difference) -> list[str]:
    values = ["-" if value is None else f"{value:.3f}" for value in (difference.first, difference.second)]
    name, change = HEADINGS.get(difference.metric, difference.metric), difference.change
    if change is None:
        return [name, *values, "", "", ""]
    words = ""
    if difference.is_clear:
        is_better = (change.value > 0) is not (difference.metric in BETTER_IF_LOWER)
        words = "better" if is_better else "worse"
    return [name, *values, f"{change.value:+.3f}", f"{change.low:+.3f}..{change.high:+.3f}", words]


def verdict_of(comparison: Comparison, names: tuple[str, str]) -> str:
    """Return in a sentence which judge earns more, or that the rows cannot tell."""
    reward = comparison.differences[0]
    change = reward.change
    if change is None or not reward.is_clear:
        return "reward: no difference that these rows could show; the interval holds zero"
    winner, by = (names[1], change.value) if change.value > 0 else (names[0], -change.value)
    return f"reward: {winner} earns {by:.3f} more; the interval leaves out zero"


def _settings(comparison: Comparison, names: tuple[str, str]) -> Table | Text:
    if not comparison.settings:
        return Text("configuration: the same")
    table = Table(title="Configuration, where it differs", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("", *names):
        table.add_column(Text(heading), overflow="fold")
    for path, (ours, theirs) in comparison.settings.items():
        table.add_row(Text(path), Text(plain(ours)), Text(plain(theirs)))
    return table
