import os
import subprocess
import sys
from pathlib import Path

from rrm_test_cluster.level import Level
from rrm_test_cluster.processes import ProcessId, mount_namespace, processes_in_mount_namespace, stop
from rrm_test_cluster.state import Ledger, State
from rrm_test_cluster.teardown import tear_down

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ignoring", flush=True)
time.sleep(600)
"""


def _sleeper() -> ProcessId:
    identity = ProcessId.of(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    assert identity is not None
    return identity


def test_a_stopped_process_is_gone() -> None:
    sleeper = _sleeper()

    stop(sleeper, grace_seconds=5)

    assert not sleeper.is_alive()


def test_a_process_that_ignores_the_request_is_ended_all_the_same() -> None:
    with subprocess.Popen([sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = ProcessId.of(process.pid)
        assert identity is not None

        stop(identity, grace_seconds=0.1)

        assert not identity.is_alive()


def test_a_reused_number_is_not_taken_for_ours() -> None:
    me = ProcessId.of(os.getpid())
    assert me is not None

    earlier = ProcessId(me.pid, me.start - 1)

    assert not earlier.is_alive()
    stop(earlier, grace_seconds=0)  # would end this test run, if it were


def test_a_cluster_of_an_earlier_boot_loses_its_files_and_no_process(tmp_path: Path) -> None:
    sleeper = _sleeper()
    (tmp_path / "etcd").mkdir()
    state = State(
        tmp_path, Level.API, is_temporary=False, daemons=(("etcd", sleeper),), boot="an earlier one"
    )
    state.save()

    tear_down(State.load(tmp_path))

    assert list(tmp_path.iterdir()) == []
    assert sleeper.is_alive()
    stop(sleeper, grace_seconds=5)


def test_processes_are_found_by_their_mount_namespace() -> None:
    me = ProcessId.of(os.getpid())

    assert me in processes_in_mount_namespace(mount_namespace(os.getpid()))


def test_no_process_is_in_an_unknown_mount_namespace() -> None:
    assert processes_in_mount_namespace("") == []


def test_the_state_of_a_cluster_survives_the_process_that_wrote_it(tmp_path: Path) -> None:
    ledger = Ledger(State(tmp_path, Level.NODE, is_temporary=False))
    ledger.add_daemon("etcd", ProcessId(1, 2))
    ledger.update(holder=ProcessId(3, 4), cgroup="rrm-0", made_folders=(Path("/var/lib/cni"),))

    assert State.load(tmp_path) == ledger.state


def test_a_teardown_ends_the_daemons_and_keeps_only_the_logs(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "etcd.log").write_text("kept")
    (tmp_path / "etcd").mkdir()
    (tmp_path / "admin.kubeconfig").touch()
    ledger = Ledger(State(tmp_path, Level.API, is_temporary=False))
    sleeper = _sleeper()
    ledger.add_daemon("etcd", sleeper)

    tear_down(ledger.state)

    assert not sleeper.is_alive()
    assert [path.name for path in tmp_path.rglob("*")] == ["logs", "etcd.log"]


def test_a_teardown_of_a_temporary_cluster_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    (folder / "logs").mkdir(parents=True)
    ledger = Ledger(State(folder, Level.API, is_temporary=True))
    ledger.state.save()

    tear_down(ledger.state)
    tear_down(ledger.state)

    assert not folder.exists()
