"""Figures of a bench, gathered by its tests and printed as one table at the end."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.state import State

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """Rows of what was measured, its value, and the bar that `design` sets."""

    title: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, value: str, bar: str = "") -> None:
        """Add a row; it is printed at once too, for who waits."""
        self.rows.append((what, value, bar))
        print(f"{what}: {value}  {bar}", flush=True)

    def add_bar(self, what: str, value: float, bar: float, *, unit: str) -> None:
        """Add a row whose value should be at most the bar."""
        verdict = "met" if value <= bar else "MISSED"
        self.add(what, f"{_rounded(value)} {unit}", f"<= {_rounded(bar)} {unit}: {verdict}")

    def print(self, console: Console) -> None:
        """Print the table, if there is anything in it."""
        if not self.rows:
            return
        table = Table("what", "value", "bar", title=self.title, show_lines=False)
        for row in self.rows:
            table.add_row(*row)
        load = ", ".join(f"{it:.1f}" for it in os.getloadavg())
        table.caption = f"load of this machine of {os.cpu_count()} cores in the last 1, 5, 15 min: {load}"
        console.print(table)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that a share of all do not exceed.

    >>> percentile([3.0, 1.0, 2.0], 0.5), percentile([3.0, 1.0, 2.0], 0.99)
    (2.0, 3.0)
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Costs:
    """CPU seconds by process over one block, and how long the block took."""

    cpu: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        """Return the processes that used any, the hungriest first."""
        used = sorted(((it, name) for name, it in self.cpu.items() if it >= 0.05), reverse=True)
        return ", ".join(f"{name} {_rounded(it)}" for it, name in used)


@contextmanager
def costs(cluster: Cluster, **others: int) -> Iterator[Costs]:
    """Measure the CPU that the cluster's daemons, and other processes by name and number, use in a block."""
    pids = {name: process.pid for name, process in State.load(cluster.folder).daemons} | others
    pids["bench"] = os.getpid()
    before, found, started = {name: cpu_seconds(pid) for name, pid in pids.items()}, Costs(), time.monotonic()
    yield found
    found.seconds = time.monotonic() - started
    found.cpu = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds, user and system, that a process has used; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"
