"""`rrm report NAME`: what a training did, as one page and one document; `--live` while it still runs."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from rrm.cli.prepare import VOLUME
from rrm.report.find import find_training
from rrm.report.html import REFRESH_SECONDS
from rrm.report.result import verdict_of
from rrm.report.words import state_of
from rrm.report.write import Written, write_report
from rrm.train.progress import now
from rrm_api.run import ExitCode


def report(
    training: Annotated[str, typer.Argument(help="Name of a training, or its folder")],
    volume: Annotated[Path, typer.Option(help="Folder that stands for the training's claim")] = VOLUME,
    live: Annotated[bool, typer.Option("--live", help="Write it again and again until the run ends")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page; default: report.html in the folder")
    ] = None,
) -> int:
    """Write report.html and report.json of a training, finished or not."""
    console = Console()
    root = find_training(training, volume)
    page = output or root / "report.html"
    written = _follow(root, page, console) if live else write_report(root, page, now=now())
    for gap in written.report.gaps:
        console.print(f"note: {escape(gap)}", style="dim", highlight=False)
    console.print(verdict_of(written.report.judged.lift), markup=False, highlight=False)
    console.print(f"{written.page}\n{written.document}", markup=False, highlight=False, soft_wrap=True)
    return int(ExitCode.DONE)


def _follow(root: Path, page: Path, console: Console) -> Written:
    """Write until the run ends or somebody presses Ctrl-C; the last page does not load itself again."""
    written = write_report(root, page, now=now(), is_live=True)
    console.print(f"open {written.page}; Ctrl-C stops following", markup=False, soft_wrap=True)
    said = ""
    try:
        while not written.report.newest.is_over:
            state = state_of(written.report)
            if state != said:
                console.print(state, markup=False, highlight=False)
            said = state
            time.sleep(REFRESH_SECONDS)
            written = write_report(root, page, now=now(), is_live=True)
        time.sleep(REFRESH_SECONDS)  # What the trainer still logs of its last step belongs to the report.
    except KeyboardInterrupt:
        console.print("following stopped; the training goes on")
    return write_report(root, page, now=now())
