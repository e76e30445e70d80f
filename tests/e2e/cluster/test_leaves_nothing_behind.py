"""Whatever ends a cluster - Ctrl-C, a kill, a daemon that does not start - nothing of it stays."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from rrm_test_cluster import Cluster, DaemonFailed, Level
from rrm_test_cluster.errors import Missing
from rrm_test_cluster.node.cgroups import hierarchies
from rrm_test_cluster.processes import processes_in_mount_namespace, wait_gone
from rrm_test_cluster.requirements import check_requirements
from rrm_test_cluster.state import STATE_FILE, State

LEVELS = [
    pytest.param(Level.API, marks=pytest.mark.api),
    pytest.param(Level.FAKE_NODES, marks=pytest.mark.fakenodes),
    pytest.param(Level.NODE, marks=pytest.mark.node),
]
ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
# A shell without job control starts its background jobs deaf to SIGINT, and that is inherited.
_OWNER = """
import signal, sys, time
from pathlib import Path
from rrm_test_cluster import Cluster, Level
signal.signal(signal.SIGINT, signal.default_int_handler)
with Cluster.start(Level(sys.argv[1]), Path(sys.argv[2])):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _skip_what_cannot_run(request: pytest.FixtureRequest) -> None:
    try:
        check_requirements(request.node.callspec.params["level"])
    except Missing as missing:
        pytest.skip(str(missing))


@dataclass(frozen=True)
class Traces:
    """What a running cluster has in the world, read before it ends."""

    state: State
    mounted_here: frozenset[str]

    @classmethod
    def of(cls, folder: Path) -> "Traces":
        return cls(State.load(folder), _mounts())

    def assert_gone(self) -> None:
        processes = [process for _, process in self.state.daemons]
        assert wait_gone(processes, seconds=30), self.state.daemons
        # The janitor of a killed owner ends a moment after the last daemon.
        _wait_until(lambda: not (self.state.folder / STATE_FILE).exists())
        assert [path.name for path in self.state.folder.iterdir()] == ["logs"]
        assert _mounts() == self.mounted_here
        if self.state.level is Level.NODE:
            assert processes_in_mount_namespace(self.state.mount_namespace) == []
            assert not [each for each in hierarchies() if (each / self.state.cgroup).exists()]
            assert not Path("/sys/class/net", self.state.cable).exists()
            assert not [folder for folder in self.state.made_folders if folder.exists()]


def _mounts() -> frozenset[str]:
    return frozenset(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())


def _on_this_host(level: Level) -> frozenset[str]:
    """Every mount, network device and control group a cluster could have left; only a node makes any."""
    if level is not Level.NODE:
        return frozenset()
    groups = [str(each) for hierarchy in hierarchies() for each in hierarchy.glob("rrm-*")]
    return _mounts() | frozenset(os.listdir("/sys/class/net")) | frozenset(groups)


def _processes_that_name(folder: Path) -> list[str]:
    lines = [_command_line(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [line for line in lines if str(folder) in line]


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""  # it ended meanwhile


def _wait_until(condition: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.1)


def _start_owner(level: Level, folder: Path) -> "subprocess.Popen[str]":
    """Start a process that owns a cluster, and wait until the cluster is up."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, level, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n", owner.communicate()[1]
    return owner


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
@pytest.mark.parametrize("level", LEVELS)
def test_a_signal_to_its_owner_ends_all_of_it(level: Level, number: signal.Signals, tmp_path: Path) -> None:
    with _start_owner(level, tmp_path) as owner:
        traces = Traces.of(tmp_path)

        # To the whole session, as a terminal's Ctrl-C goes to every process in front.
        os.killpg(owner.pid, number)
        owner.communicate(timeout=60)

    traces.assert_gone()


@pytest.mark.parametrize(
    ("level", "daemon"),
    [
        pytest.param(Level.API, "etcd", marks=pytest.mark.api, id="etcd"),
        pytest.param(Level.NODE, "containerd", marks=pytest.mark.node, id="containerd"),
    ],
)
def test_a_daemon_that_cannot_start_shows_its_words_and_takes_the_rest_along(
    level: Level, daemon: str, tmp_path: Path
) -> None:
    # A file where the daemon wants its folder.
    (tmp_path / daemon).touch()
    before = _on_this_host(level)

    with pytest.raises(DaemonFailed, match=rf"^{daemon}: .*\n.*") as failure, Cluster.start(level, tmp_path):
        pytest.fail("it started")

    assert failure.value.log_tail in (tmp_path / "logs" / f"{daemon}.log").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    assert not _processes_that_name(tmp_path)
    assert _on_this_host(level) - before == set()


@pytest.mark.parametrize("level", LEVELS[:1])
def test_a_cluster_for_a_person_stays_until_it_is_taken_down(level: Level, tmp_path: Path) -> None:
    up = _command("up", "--level", level, "--dir", str(tmp_path))
    traces = Traces.of(tmp_path)
    again = _command("up", "--level", level, "--dir", str(tmp_path))

    assert f"export KUBECONFIG={tmp_path}/admin.kubeconfig" in up.stdout
    assert (again.returncode, "has a cluster already" in again.stdout) == (1, True)
    assert all(process.is_alive() for _, process in traces.state.daemons)

    assert _command("down", "--dir", str(tmp_path)).returncode == 0

    traces.assert_gone()


def _command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "rrm_test_cluster", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)
