"""What a person sees while a training runs: a bar at a terminal, plain lines in a log."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from rrm_api.conditions import Reason
from rrm_api.run import Progress


class TrainingScreen:
    """A watcher that shows; nobody can ask to stop through it."""

    def __init__(self, console: Console, total_steps: int) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
        )
        self._told: frozenset[Reason] = frozenset()
        self._task = self._bar.add_task("Starting", total=total_steps, numbers="")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def on_progress(self, progress: Progress) -> None:
        """Show a document, and what is newly found unhealthy on a line of its own."""
        for finding in progress.findings:
            if finding.reason not in self._told:
                line = f"{finding.reason.value}: {finding.message}"
                self._console.print(line, highlight=False, soft_wrap=True, markup=False)
        self._told = frozenset(finding.reason for finding in progress.findings)
        if self._console.is_terminal:
            self._bar.update(
                self._task,
                description=progress.phase.value,
                completed=progress.step,
                numbers=numbers_of(progress),
            )
        else:
            step = f"{progress.phase.value} {progress.step}/{progress.total_steps}"
            # A log has no width: a line per document, never folded.
            line = f"{step} {numbers_of(progress)}".rstrip()
            self._console.print(line, highlight=False, soft_wrap=True)

    def is_stop_asked(self) -> bool:
        """Nobody asks here; Ctrl-C ends the process, and the next run goes on from the last checkpoint."""
        return False


def numbers_of(progress: Progress) -> str:
    """Return the numbers of a progress document in one line; absent ones are left out."""
    validation = {metric.name: float(metric.value) for metric in progress.validation}
    parts = {
        "reward": progress.reward,
        "readable": progress.parse_rate,
        "validation": validation.get("reward"),
        "lift": progress.lift,
    }
    shown = [f"{name} {value:.3f}" for name, value in parts.items() if value is not None]
    if progress.seconds_per_step is not None:
        shown.append(f"{progress.seconds_per_step:.1f} s/step")
    if progress.eta_seconds:
        shown.append(f"ends in {progress.eta_seconds // 60}:{progress.eta_seconds % 60:02d}")
    return ", ".join(shown)
