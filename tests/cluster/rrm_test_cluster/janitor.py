"""A process beside each cluster that takes it down when its owner is gone without having done so.

A test run that is killed cannot clean up; this process sees its owner end (a pidfd becomes readable),
whatever the cause, and does it from the state file.
"""

import os
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from rrm_test_cluster.state import State
from rrm_test_cluster.teardown import tear_down


def start_janitor(folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    """Start the process that watches the caller and owns the cluster in `folder` afterwards."""
    return subprocess.Popen(
        [*command, "--owner", str(os.getpid()), "--folder", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Its own session: Ctrl-C reaches the owner only.
        start_new_session=True,
    )


def watch_owner(owner: int, folder: Path) -> None:
    """Wait for the end of the owner, then take down what it left."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(owner)
        # The owner may have ended before this line: then we have another parent by now.
        if os.getppid() == owner:
            select.select([descriptor], [], [])
    with suppress(FileNotFoundError):
        tear_down(State.load(folder))
