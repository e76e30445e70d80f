"""Take a cluster down from its state file alone; the same way after success, failure, Ctrl-C or a kill.

Called by `Cluster`, by ``python -m rrm_test_cluster down`` and by the janitor.
"""

import os
import shutil
import signal
from contextlib import suppress

from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.node import cgroups
from rrm_test_cluster.node.shell import run
from rrm_test_cluster.processes import (
    mount_namespace,
    processes_in_mount_namespace,
    stop,
    this_boot,
    wait_gone,
)
from rrm_test_cluster.state import STATE_FILE, State

_GRACE_SECONDS = {"etcd": 5.0}
_DEFAULT_GRACE_SECONDS = 3.0
LOGS = "logs"


def tear_down(state: State) -> None:
    """End every process, then remove what is left; doing it twice does nothing."""
    # After a reboot nothing of it is left but files, and its numbers may be those of somebody else.
    if state.boot == this_boot():
        _end(state)
    _remove_folder(state)


def _end(state: State) -> None:
    # Reverse order: the API server before etcd, without which it takes 18 s to leave.
    for name, process in reversed(state.daemons):
        stop(process, grace_seconds=_GRACE_SECONDS.get(name, _DEFAULT_GRACE_SECONDS))
    if state.cgroup:
        cgroups.kill_and_remove(state.cgroup)
    if state.holder:
        state.holder.send(signal.SIGKILL)
    if state.mount_namespace:
        _end_namespace(state)
    if state.cable:
        _remove_cable(state.cable)
    for folder in reversed(state.made_folders):
        with suppress(OSError):
            folder.rmdir()


def _end_namespace(state: State) -> None:
    # Container shims outlive containerd; they share its namespace, and nothing else of this machine does.
    if state.mount_namespace in (mount_namespace(1), mount_namespace(os.getpid())):
        return
    left = processes_in_mount_namespace(state.mount_namespace)
    for process in left:
        process.send(signal.SIGKILL)
    wait_gone(left, seconds=10)


def _remove_cable(cable: str) -> None:
    # It goes with its namespace, but the kernel takes its time, and the next cluster wants the number.
    with suppress(CommandFailed):
        run("ip", "link", "delete", cable)


def _remove_folder(state: State) -> None:
    # What the node mounted was never mounted for this process, so no host folder can be reached here.
    if state.is_temporary:
        shutil.rmtree(state.folder, ignore_errors=True)
        return
    for entry in state.folder.iterdir() if state.folder.is_dir() else ():
        if entry.is_dir() and entry.name != LOGS:
            shutil.rmtree(entry, ignore_errors=True)
        elif not entry.is_dir() and entry.name != STATE_FILE:
            entry.unlink(missing_ok=True)
    # The state last: as long as it is there, a second try can finish what was left.
    (state.folder / STATE_FILE).unlink(missing_ok=True)
