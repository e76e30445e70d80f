"""The parent answers however its child ends; the child is played by `rehearsal_child.py`, a real process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.train import progress
from rrm.train.attempt import Attempt, write_json
from rrm.train.config_map_watcher import NobodyWatches
from rrm.train.log import JobLog, Masker
from rrm.train.parent import Ended, child_command, run_child, trained_by
from rrm.train.progress import ProgressReader
from rrm.train.validations import add_validation
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Phase, Progress

REHEARSAL = Path(__file__).parent / "rehearsal_child.py"
SECRET = "0123456789abcdef"


class Listener:
    """Remembers what it was told; asks to stop when told to."""

    def __init__(self, stop: bool = False) -> None:
        self.heard: list[Progress] = []
        self.stop = stop

    def on_progress(self, progress: Progress) -> None:
        self.heard.append(progress)

    def is_stop_asked(self) -> bool:
        return self.stop


class Terminating(Listener):
    """Sends the parent SIGTERM at the child's first sign of life: by then both are ready for it."""

    def on_progress(self, progress: Progress) -> None:
        super().on_progress(progress)
        os.kill(os.getpid(), signal.SIGTERM)


def rehearse(attempt: Attempt, role: str, listener: Listener | None = None) -> Ended:
    command = [sys.executable, str(REHEARSAL), role, str(attempt.folder), str(attempt.stop_mark)]
    return run_child(attempt, command, listener or Listener())


@pytest.mark.parametrize(
    ("role", "reason", "exit_code", "failure_class"),
    [
        pytest.param("done", Reason.SUCCEEDED, 0, ExitCode.DONE, id="went to the end"),
        pytest.param("plugin", Reason.TRAINING_FAILED, 13, ExitCode.PLUGIN, id="said why it failed"),
        pytest.param("crash", Reason.TRAINER_CRASHED, 1, ExitCode.INFRASTRUCTURE, id="died of an exception"),
        pytest.param("killed", Reason.TRAINER_CRASHED, 137, ExitCode.INFRASTRUCTURE, id="was killed"),
    ],
)
def test_however_the_child_ends_the_parent_says_how(
    attempt: Attempt, role: str, reason: Reason, exit_code: int, failure_class: ExitCode
) -> None:
    ended = rehearse(attempt, role)
    assert (ended.reason, ended.exit_code, ended.failure_class) == (reason, exit_code, failure_class)


def test_a_killed_child_leaves_its_signal_its_step_and_its_last_lines(attempt: Attempt) -> None:
    ended = rehearse(attempt, "killed")
    assert "exit code 137 (SIGKILL) after step 7" in ended.message
    assert "killed begins" in ended.log_tail


def test_a_traceback_is_in_the_tail_and_in_the_job_log(attempt: Attempt) -> None:
    ended = rehearse(attempt, "crash")
    assert "RuntimeError: the child broke" in ended.log_tail
    assert "RuntimeError: the child broke" in attempt.job_log.read_text()


def test_secrets_reach_neither_log_nor_tail(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    ended = rehearse(attempt, "crash")
    for text in (ended.log_tail, attempt.job_log.read_text()):
        assert "begins with key ***" in text
        assert SECRET not in text
        assert "hf_AbCdEf012345" not in text


def test_an_old_ending_is_not_mistaken_for_this_ones(attempt: Attempt) -> None:
    rehearse(attempt, "done")
    assert rehearse(attempt, "killed").exit_code == 137


def test_a_fresh_start_in_the_same_folder_never_shows_old_progress(attempt: Attempt) -> None:
    for name in ("progress.jsonl", "heartbeat.json", "outcome.json", "ending.json"):
        (attempt.folder / name).write_text(
            '{"phase": "Rollout", "step": 23, "time": "2026-01-01T00:00:00Z"}\n'
        )
    run_child(attempt, [sys.executable, "-c", ""], Listener())
    assert {path.name for path in attempt.folder.iterdir()} == {"run.json", "versions.json", "job.log"}


def test_a_job_log_that_cannot_be_written_stops_no_child(
    attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    attempt.job_log.mkdir()  # where a file should be: every write fails
    flood = "for n in range(9000): print('line', n)"
    ended = run_child(attempt, [sys.executable, "-c", flood], Listener())
    assert ended.log_tail.endswith("line 8999\n")
    assert caplog.text.count("are lost") == 1


def test_a_full_disk_loses_lines_of_the_job_log_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    log = JobLog(Path("/dev/full"), Masker({}), heard.append)
    log.copy(["one\n", "two\n"])
    assert (log.tail(), heard) == ("one\ntwo\n", ["one\n", "two\n"])
    assert caplog.text.count("No space left") == 1


def test_an_echo_that_is_gone_stops_no_child(attempt: Attempt) -> None:
    def gone(_: str) -> None:
        raise BrokenPipeError

    run_child(attempt, [sys.executable, "-c", "print('one'); print('two')"], Listener(), echo=gone)
    assert attempt.job_log.read_text() == "one\ntwo\n"


def test_a_stop_that_is_asked_becomes_the_mark_and_the_child_leaves(attempt: Attempt) -> None:
    ended = rehearse(attempt, "stops", Listener(stop=True))
    assert attempt.stop_mark.exists()
    assert (ended.exit_code, ended.failure_class) == (30, ExitCode.STOPPED)


def test_progress_is_heard_once_per_change(attempt: Attempt) -> None:
    listener = Listener()
    rehearse(attempt, "done", listener)
    assert [(progress.phase, progress.step) for progress in listener.heard] == [(Phase.ROLLOUT, 7)]


def test_nothing_of_the_childs_group_is_left_behind(attempt: Attempt) -> None:
    rehearse(attempt, "leaves-a-grandchild")
    grandchild = int((attempt.folder / "grandchild").read_text())
    wait_until(lambda: not is_running(grandchild))


@pytest.mark.parametrize("role", ["waits", "deaf"])
def test_sigterm_to_the_parent_ends_the_child(
    attempt: Attempt, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrm.train.termination.TERMINATION_SECONDS", 0.5)
    ended = rehearse(attempt, role, Terminating())
    assert ended.exit_code == {"waits": 143, "deaf": 137}[role]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_interrupt_leaves_no_child_running(attempt: Attempt) -> None:
    class Interrupts(Listener):
        def on_progress(self, progress: Progress) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearse(attempt, "waits", Interrupts())
    found = subprocess.run(["pgrep", "-f", str(attempt.folder)], capture_output=True, text=True)
    assert found.stdout == ""


@pytest.mark.parametrize("fault", [OSError("stale file handle"), ValueError("half a document")])
def test_a_status_file_that_cannot_be_read_ends_no_healthy_run(
    attempt: Attempt, fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Attempt) -> None:
        raise fault

    monkeypatch.setattr(progress, "read_progress", fail)
    assert rehearse(attempt, "done").failure_class is ExitCode.DONE
    assert trained_by(attempt).step == 0
    reader = ProgressReader(attempt)
    caplog.clear()
    assert (reader.read(), reader.read()) == (None, None)
    assert len(caplog.records) == 1


def test_the_last_progress_that_was_read_stays(attempt: Attempt) -> None:
    write_json(attempt.heartbeat, {"phase": "Rollout", "step": 7, "time": "2026-01-01T00:00:00Z"})
    reader = ProgressReader(attempt)
    last = reader.read()
    attempt.heartbeat.write_text("{")
    assert last is not None
    assert reader.read() == last


def test_what_was_trained_is_read_from_the_volume(attempt: Attempt) -> None:
    add_validation(attempt.validations, 0, {"reward": 0.5})
    add_validation(attempt.validations, 12, {"reward": 0.7})
    rehearse(attempt, "killed")
    trained = trained_by(attempt)
    assert (trained.step, trained.total_steps) == (7, 24)
    assert [metric.value for metric in trained.base] == ["0.500000"]
    assert trained.best == []  # step 12 was validated, but never saved
    assert trained.checkpoints.latest_step is None


def test_the_real_child_is_named_with_all_it_needs(attempt: Attempt) -> None:
    command = child_command(attempt, ray_address="auto", ray_temp=None)
    assert command[1:3] == ["-m", "rrm.train.child"]
    assert command[3:] == [
        *("--volume", str(attempt.volume), "--claims", str(attempt.claims)),
        *("--training", "tiny-judge", "--attempt", "1", "--ray-address", "auto"),
    ]


def test_outside_kubernetes_nobody_asks() -> None:
    assert not NobodyWatches().is_stop_asked()


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
