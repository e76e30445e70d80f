"""The node's own network and mount namespace, held by one sleeping process.

Every daemon of the node enters it. What it mounts and which rules it writes is unseen by this machine and
ends with its last process.
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.node.shell import run
from rrm_test_cluster.processes import ProcessId, mount_namespace
from rrm_test_cluster.state import Ledger

_HIDDEN = ("/run", "/var/log", "/var/lib/kubelet", "/var/lib/cni")
"""Written to by containerd, kubelet or CNI plug-ins whatever they are told: in here, memory that goes."""


class NamespaceFailed(ClusterError):
    """The namespace did not come to life."""


def hold(ledger: Ledger) -> tuple[str, ...]:
    """Make the namespace and return the words that enter it."""
    holder = subprocess.Popen(
        ["unshare", "--net", "--mount", "sleep", "infinity"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Noted before it is used, so that a failure from here on finds it.
    ledger.update(holder=ProcessId.of(holder.pid))
    ledger.update(mount_namespace=_wait_for_own_namespace(holder.pid))
    enter = ("nsenter", f"--target={holder.pid}", "--net", "--mount")
    _hide_folders(ledger, enter)
    return enter


def _wait_for_own_namespace(pid: int) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = mount_namespace(pid)
        # `sleep` is what it becomes after both namespaces are made.
        if found not in ("", mount_namespace(1)) and Path(f"/proc/{pid}/comm").read_text().strip() == "sleep":
            return found
        time.sleep(0.01)
    raise NamespaceFailed(f"process {pid} has no namespace of its own after 10 s; is it forbidden here?")


def _hide_folders(ledger: Ledger, enter: Sequence[str]) -> None:
    missing = tuple(Path(folder) for folder in _HIDDEN if not Path(folder).exists())
    ledger.update(made_folders=missing)
    for folder in missing:
        folder.mkdir(parents=True)
    # kubelet needs mounts that its containers see; `unshare` has cut us off from the host before.
    run("mount", "--make-rshared", "/", enter=enter)
    for hidden in _HIDDEN:
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", hidden, enter=enter)
