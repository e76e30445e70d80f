"""How a training's life is shown: a moving line at a terminal, one line per change in a log."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rrm_test_cluster.demo.telling import Teller, clock
from rrm_test_cluster.demo.watch import Glimpse


class Screen(Protocol):
    """Something that shows glimpses; a context, since a terminal has to be put back in order."""

    def __call__(self, seen: Glimpse) -> None:
        """Show a glimpse."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, leaving what was shown."""


class LogScreen:
    """One line for each change: for logs."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._last = ""

    def __call__(self, seen: Glimpse) -> None:
        """Write the glimpse if it says something new."""
        line = seen.line()
        if line != self._last:
            self._tell(line)
            self._last = line

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put in order."""


class TerminalScreen:
    """A line that keeps moving, below one line for each stage that was left: for people."""

    def __init__(self, tell: Teller, console: Console) -> None:
        self._tell = tell
        self._console = console
        self._live = Live(console=console, refresh_per_second=4)
        self._last: Glimpse | None = None

    def __call__(self, seen: Glimpse) -> None:
        """Show the glimpse in place of the last one."""
        if self._last and self._last.stage != seen.stage:
            self._console.print(Text(f"[{clock(self._tell.seconds)}] {self._last.line()}", style="dim"))
        self._last = seen
        self._live.update(Text(f"[{clock(self._tell.seconds)}] {seen.line()}", style="bold"))

    def __enter__(self) -> Self:
        """Take the terminal's last line."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self._live.stop()


def screen_for(tell: Teller) -> Screen:
    """Return the screen that fits where the output goes."""
    console = Console()
    return TerminalScreen(tell, console) if console.is_terminal else LogScreen(tell)
