"""Parent and rehearsal child as real processes: the contract that fault tests on real nodes rely on.

What is shown here of the parent holds for the real child too, as both start, report and end the same way.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rrm.data.written import TRAIN_FILE, VALIDATION_FILE, digest_of_rows
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import list_checkpoints
from rrm.train.farewell import wait_for_save
from rrm.train.parent import CHILD_MODULE_VARIABLE
from rrm_api.run import Record, RunFile
from rrm_test_cluster.rehearsal import Act, Fault, Rehearsal, orders
from rrm_test_cluster.rehearsal.child import saved_state, state_after

pytestmark = pytest.mark.slow
SECRET = "0123456789abcdef"
STEPS = 6
PARENT = """
import pathlib, sys
from rrm.train import __main__ as entry
file = pathlib.Path(sys.argv.pop(1))
entry.report = lambda record: file.write_text(record.model_dump_json(by_alias=True))
sys.exit(entry.main())
"""
"""The parent as it is, but its record goes into a file."""


class Stage:
    """A volume with prepared rows, and the attempts on it."""

    def __init__(self, run: RunFile, volume: Path) -> None:
        self.volume = volume
        data = volume / run.intent.name / "data"
        data.mkdir(parents=True)
        for name in (TRAIN_FILE, VALIDATION_FILE):
            (data / name).write_bytes(b"rows")
        status = run.prepared.data.model_copy(update={"digest": digest_of_rows(data)})
        numbers = {"total_steps": STEPS, "save_every_steps": 2, "evaluate_every_steps": 2}
        prepared = run.prepared.model_copy(update={"data": status, **numbers})
        self.run = run.model_copy(update={"prepared": prepared})
        (volume / "run.json").write_text(json.dumps(self.run.manifest()))
        self.started: list[subprocess.Popen[str]] = []

    def attempt(self, number: int) -> Attempt:
        return Attempt(self.run, self.volume, self.volume / "claims", number)

    def begin(
        self, number: int, rehearsal: Rehearsal, *, digest: str | None = None
    ) -> "subprocess.Popen[str]":
        arguments = ["--run", str(self.volume / "run.json"), "--attempt", str(number)]
        arguments += ["--digest", digest or self.run.digest(), "--volume", str(self.volume)]
        names = {CHILD_MODULE_VARIABLE: "rrm_test_cluster.rehearsal.child", orders.VARIABLE: rehearsal.text()}
        secrets = {
            "WANDB_API_KEY": SECRET,
            "CREDENTIALS": SECRET[::-1],
            "RRM_SECRET_VARIABLES": "CREDENTIALS",
        }
        command = [sys.executable, "-c", PARENT, str(self._record(number)), *arguments]
        begun = subprocess.Popen(
            command, env={**os.environ, **names, **secrets}, stdout=subprocess.DEVNULL, text=True
        )
        self.started.append(begun)
        return begun

    def end(self, number: int, rehearsal: Rehearsal) -> Record:
        self.begin(number, rehearsal).wait(60)
        return self.record(number)

    def record(self, number: int) -> Record:
        return Record.model_validate_json(self._record(number).read_text())

    def _record(self, number: int) -> Path:
        return self.volume / f"record-{number}.json"

    def whole(self) -> dict[int, str]:
        """Return the weights in each whole checkpoint."""
        folder = self.attempt(1).layout.checkpoints
        return {it.step: saved_state(it.path) for it in list_checkpoints(folder) if it.is_whole}


@pytest.fixture
def stage(tiny_run: RunFile, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tiny_run, tmp_path)
    yield made
    for parent in made.started:
        if parent.poll() is None:
            parent.terminate()
            parent.wait(20)


QUICK = Rehearsal(step_seconds=0.01)
SLOW = Rehearsal(step_seconds=0.5)


def with_fault(act: Act, step: int, *, value: int = 0, text: str = "") -> Rehearsal:
    """Return a quick rehearsal in which attempt 1 meets a fault."""
    return replace(QUICK, faults=(Fault(act, step, 1, value, text),))


def test_it_goes_to_its_end_and_leaves_whole_checkpoints(stage: Stage) -> None:
    record = stage.end(1, QUICK)
    assert (record.result, record.exit_code) == ("Done", 0)
    assert record.trained is not None
    assert (record.trained.step, record.trained.checkpoints.latest_step) == (STEPS, STEPS)
    assert stage.whole() == {step: state_after(step) for step in (4, 6)}  # keepLast 2, the best among them
    assert stage.attempt(1).finished_mark.exists()
    # Whoever takes the pods away now waits for nobody, and another attempt finds nothing to do.
    assert wait_for_save(stage.attempt(1).layout, 60, sleep=must_not_wait) == "no attempt is running"
    assert not stage.attempt(1).stop_mark.exists()
    assert "already complete at step 6" in stage.end(2, QUICK).message


def test_killed_at_step_5_it_goes_on_from_4_and_its_weights_are_those_of_an_unbroken_run(
    stage: Stage,
) -> None:
    record = stage.end(1, with_fault(Act.SIGNAL, 5, value=signal.SIGKILL))
    assert (record.result, record.reason, record.exit_code) == ("Failed", "TrainerCrashed", 137)
    assert "step 5: signal begins" in record.log_tail
    assert max(stage.whole()) == 4
    record = stage.end(2, QUICK)
    assert record.result == "Done"
    assert "going on from global_step_4" in stage.attempt(2).job_log.read_text()
    assert stage.whole()[STEPS] == state_after(STEPS)


def test_a_half_checkpoint_is_passed_over(stage: Stage) -> None:
    record = stage.end(1, with_fault(Act.HALF_CHECKPOINT, 4))
    assert record.exit_code == 137
    assert set(stage.whole()) == {2}
    stage.end(2, QUICK)
    said = stage.attempt(2).job_log.read_text()
    assert "going on from global_step_2; skipping global_step_4: the save was interrupted" in said
    assert stage.whole()[STEPS] == state_after(STEPS)


def test_a_stop_mark_makes_it_save_between_two_saves_and_leave(stage: Stage) -> None:
    parent = stage.begin(1, SLOW)
    wait_until(lambda: said(stage, "step 3"))
    stage.attempt(1).stop_mark.touch()
    assert parent.wait(20) == 30
    record = stage.record(1)
    assert (record.result, record.reason, record.exit_code) == ("Stopped", "CheckpointSaved", 30)
    assert record.message.startswith("stopped on request after step")
    assert max(stage.whole()) == int(record.message.split()[-1])


def test_a_farewell_asks_it_to_save_and_waits_until_it_has_reported(stage: Stage) -> None:
    stage.begin(1, SLOW)
    wait_until(lambda: said(stage, "step 1"))
    told = wait_for_save(stage.attempt(1).layout, 60)
    assert told.startswith("attempt 1 has ended after")
    assert stage.record(1).result == "Stopped"
    assert stage.whole()


@pytest.mark.parametrize("act", [Act.HANG, Act.HANG_DEAF])
def test_a_hang_that_ray_stops_is_reported_with_its_last_words(stage: Stage, act: Act) -> None:
    parent = stage.begin(1, with_fault(act, 3))
    wait_until(lambda: said(stage, f"step 3: {act} begins"))
    stopped = time.monotonic()
    parent.terminate()
    assert parent.wait(20) == 20
    sys.stdout.write(f"from SIGTERM to the record: {time.monotonic() - stopped:.1f} s\n")
    record = stage.record(1)
    assert (record.result, record.reason) == ("Failed", "TrainerCrashed")
    assert record.exit_code == (143 if act is Act.HANG else 137)
    assert "told to end by SIGTERM" in record.message
    assert f"step 3: {act} begins" in record.log_tail
    assert record.trained is not None
    assert record.trained.checkpoints.latest_step == 2
    assert stage.attempt(1).finished_mark.exists()


def test_a_stop_before_the_trainer_was_started_is_reported_too(stage: Stage) -> None:
    parent = stage.begin(1, QUICK, digest="f" * 16)
    wait_until(lambda: hears_sigterm(parent.pid))
    parent.terminate()
    assert parent.wait(20) == 20
    assert "told to end (SIGTERM) before the trainer was started" in stage.record(1).message


def test_a_later_attempt_fences_an_earlier_one(stage: Stage) -> None:
    parent = stage.begin(1, SLOW)
    wait_until(lambda: said(stage, "step 2"))
    stage.attempt(2).folder.mkdir()
    assert parent.wait(20) == 20
    assert "attempt 2 has begun on this volume" in stage.record(1).message
    assert max(stage.whole(), default=0) <= 4


@pytest.mark.parametrize(
    ("act", "value", "reason", "exit_code"),
    [
        pytest.param(Act.EXIT, 3, "TrainerCrashed", 3, id="leaves without a word"),
        pytest.param(Act.END, 13, "PluginFailed", 13, id="tells of a user's mistake"),
        pytest.param(Act.RAISE, 0, "TrainerCrashed", 1, id="dies of an exception"),
    ],
)
def test_it_ends_badly_as_ordered(stage: Stage, act: Act, value: int, reason: str, exit_code: int) -> None:
    record = stage.end(1, with_fault(act, 1, value=value, text="CUDA out of memory"))
    assert (record.reason, record.exit_code) == (reason, exit_code)
    if act is Act.RAISE:
        assert "RuntimeError: CUDA out of memory" in record.log_tail


def test_a_full_volume_is_told_as_such_and_not_as_a_crash(stage: Stage) -> None:
    record = stage.end(1, with_fault(Act.RAISE, 1, text="[Errno 28] No space left on device"))
    assert record.reason == "VolumeUnavailable"
    assert "enlarge spec.checkpoints.volume.size" in record.message


@pytest.mark.parametrize("act", [Act.RAISE, Act.END])
def test_a_secret_shows_in_nothing_that_it_leaves(stage: Stage, act: Act) -> None:
    text = f"refused: {SECRET} and {SECRET[::-1]}"
    record = stage.end(1, with_fault(act, 1, value=20, text=text))
    files = [stage.attempt(1).job_log, stage.volume / "record-1.json"]
    files += [stage.attempt(1).ending] if act is Act.END else []
    assert "refused: *** and ***" in (record.message if act is Act.END else record.log_tail)
    for file in files:
        text = file.read_text()
        assert SECRET not in text
        assert SECRET[::-1] not in text


def test_what_is_unhealthy_is_in_its_progress(stage: Stage) -> None:
    stage.end(1, with_fault(Act.FINDING, 2, text="RewardCollapsed"))
    last = json.loads(stage.attempt(1).progress.read_text().splitlines()[-1])
    assert [finding["reason"] for finding in last["findings"]] == ["RewardCollapsed"]


def hears_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def said(stage: Stage, words: str) -> bool:
    log = stage.attempt(1).job_log
    return log.exists() and words in log.read_text()


def must_not_wait(_: float) -> None:
    raise AssertionError("waited")


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
