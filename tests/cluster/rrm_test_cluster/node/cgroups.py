"""The control group the pods live in: one of our own in every hierarchy, so that nothing else is touched.

Knows the split layout (version 1 and hybrid) and the unified one (version 2).
"""

import signal
import time
from contextlib import suppress
from pathlib import Path

from rrm_test_cluster.processes import ProcessId, wait_gone

_ROOT = Path("/sys/fs/cgroup")
_UNIFIED_MARK = "cgroup.controllers"
_BUSY_SECONDS = 0.02


def hierarchies(root: Path = _ROOT) -> tuple[Path, ...]:
    """Return the folder of every mounted hierarchy (one in the unified layout)."""
    if (root / _UNIFIED_MARK).exists():
        return (root,)
    # Some are symbolic links to a joint mount (`cpu` to `cpu,cpuacct`): each real folder once.
    real = {folder.resolve() for folder in root.iterdir() if (folder / "cgroup.procs").exists()}
    return tuple(sorted(real))


def create(name: str, root: Path = _ROOT) -> None:
    """Make the group in every hierarchy, with all controllers on."""
    for hierarchy in hierarchies(root):
        if (hierarchy / _UNIFIED_MARK).exists():
            controllers = (hierarchy / _UNIFIED_MARK).read_text().split()
            (hierarchy / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in controllers))
        (hierarchy / name).mkdir(exist_ok=True)
        # A new cpuset group is empty and refuses every process until it is told what it may use.
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (hierarchy / "cpuset.cpus").exists() and not (hierarchy / _UNIFIED_MARK).exists():
                (hierarchy / name / file).write_text((hierarchy / file).read_text())


def kill_and_remove(name: str, root: Path = _ROOT) -> None:
    """Kill every process in the group and remove it from every hierarchy."""
    for _ in range(20):
        processes = _members(name, root)
        if not processes:
            break
        for process in processes:
            process.send(signal.SIGKILL)
        # Repeated: a container's first process may have made another one meanwhile.
        wait_gone(processes, seconds=1)
    for hierarchy in hierarchies(root):
        for folder in sorted((hierarchy / name).rglob("*/"), key=lambda path: -len(path.parts)):
            _remove(folder)
        _remove(hierarchy / name)


def _members(name: str, root: Path) -> list[ProcessId]:
    numbers = {
        int(line)
        for hierarchy in hierarchies(root)
        for file in (hierarchy / name).rglob("cgroup.procs")
        for line in file.read_text().split()
    }
    found = [ProcessId.of(number) for number in numbers]
    return [process for process in found if process is not None]


def _remove(folder: Path) -> None:
    # A group whose last process has just died is busy for a moment; the next teardown finds it again.
    for _ in range(50):
        with suppress(OSError):
            if folder.exists():
                folder.rmdir()
            return
        time.sleep(_BUSY_SECONDS)
