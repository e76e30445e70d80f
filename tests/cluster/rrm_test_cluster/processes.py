"""Processes known by number and start time, so that a reused number is never taken for ours."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    """One process of this boot: its number and when it started (clock ticks since boot)."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """Look a running process up; None if there is none, or only its zombie."""
        with suppress(FileNotFoundError, ProcessLookupError):
            # The name in parentheses may hold blanks; everything after the last one is plain.
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            return None if fields[0] in "ZX" else cls(pid, int(fields[19]))
        return None

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        with suppress(ChildProcessError):
            # Our own children stay zombies until someone asks for them.
            os.waitpid(self.pid, os.WNOHANG)
        return ProcessId.of(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process is gone."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def this_boot() -> str:
    """Return what tells this boot of the machine from all others."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def stop(process: ProcessId, *, grace_seconds: float) -> None:
    """Ask a process to end, and end it for good after the grace."""
    process.send(signal.SIGTERM)
    if not wait_gone([process], seconds=grace_seconds):
        process.send(signal.SIGKILL)
        wait_gone([process], seconds=5)


def wait_gone(processes: Iterable[ProcessId], *, seconds: float) -> bool:
    """Wait until all are gone; False if the time was too short."""
    deadline = time.monotonic() + seconds
    left = list(processes)
    while left := [process for process in left if process.is_alive()]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_in_mount_namespace(namespace: str) -> list[ProcessId]:
    """Return every process whose mount namespace link reads so (``mnt:[4026531841]``)."""
    found: list[ProcessId | None] = []
    # Empty would match every process that is not ours to see.
    for entry in _PROC.iterdir() if namespace else ():
        if entry.name.isdigit() and mount_namespace(int(entry.name)) == namespace:
            found.append(ProcessId.of(int(entry.name)))
    return [process for process in found if process is not None]


def mount_namespace(pid: int) -> str:
    """Return the mount namespace link of a process, empty if it is gone or not ours to see."""
    with suppress(OSError):
        return os.readlink(_PROC / str(pid) / "ns" / "mnt")
    return ""
