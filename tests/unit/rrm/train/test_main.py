"""`python -m rrm.train` as the Ray job calls it: it waits for its run file and always reports."""

import errno
import json
import os
import sys
from pathlib import Path

import pytest

from rrm.train import __main__ as entry
from rrm.train.__main__ import wait_for_run
from rrm.train.attempt import Attempt
from rrm.train.errors import RunFileMissing
from rrm_api.run import Record, RunFile

REHEARSAL = Path(__file__).parent / "rehearsal_child.py"


class Clock:
    """Time that passes by sleeping; `then` happens after the first sleep."""

    def __init__(self, then: object = None) -> None:
        self.now = 0.0
        self.then = then

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if callable(self.then):
            self.then()
            self.then = None


def test_a_run_file_that_lags_behind_is_waited_for(tiny_run: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    clock = Clock(then=lambda: path.write_text(json.dumps(tiny_run.manifest())))
    assert wait_for_run(path, tiny_run.digest(), clock=clock, sleep=clock.sleep) == tiny_run
    assert clock.now == 1.0


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(None, "no file at", id="never mounted"),
        pytest.param('{"intent": ', "faults in", id="half written"),
        pytest.param("other", "found digest", id="of another run"),
    ],
)
def test_a_run_file_that_never_comes_is_told_with_what_was_there(
    content: str | None, found: str, tiny_run: RunFile, tmp_path: Path
) -> None:
    path, clock = tmp_path / "run.json", Clock()
    if content is not None:
        path.write_text(json.dumps(tiny_run.manifest()) if content == "other" else content)
    with pytest.raises(RunFileMissing, match=found):
        wait_for_run(path, "0" * 16, clock=clock, sleep=clock.sleep)
    assert clock.now == entry.PATIENCE_SECONDS


def call(
    attempt: Attempt, role: str, monkeypatch: pytest.MonkeyPatch, digest: str | None = None
) -> tuple[int, Record]:
    """Run the entry with a rehearsal child; returns exit code and the record it reported."""
    records: list[Record] = []
    monkeypatch.setattr(entry, "report", records.append)
    command = [sys.executable, str(REHEARSAL), role, str(attempt.folder), str(attempt.stop_mark)]
    monkeypatch.setattr(entry, "child_command", lambda *_, **__: command)
    path = attempt.volume / "run.json"
    path.write_text(json.dumps(attempt.run.manifest()))
    digest = digest or attempt.run.digest()
    places = ["--volume", str(attempt.volume), "--claims", str(attempt.claims)]
    arguments = ["--run", str(path), "--attempt", "1", "--digest", digest, *places]
    code = entry.main(arguments, patience_seconds=0.0)
    return code, records[0]


def test_a_killed_child_is_reported_with_its_signal_and_its_last_lines(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, record = call(attempt, "killed", monkeypatch)
    assert code == 20
    assert (record.result, record.reason, record.exit_code) == ("Failed", "TrainerCrashed", 137)
    assert "killed begins" in record.log_tail
    assert record.input_digest == attempt.run.digest()
    assert record.trained is not None
    assert record.trained.step == 7


def test_a_stopped_child_is_reported_as_stopped(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt.stop_mark.touch()
    code, record = call(attempt, "stops", monkeypatch)
    assert (code, record.result, record.exit_code) == (30, "Stopped", 30)


def test_a_missing_run_file_is_reported_too(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    code, record = call(attempt, "done", monkeypatch, digest="f" * 16)
    assert (code, record.exit_code, record.input_digest) == (20, 20, "f" * 16)
    assert "is the run ConfigMap mounted?" in record.message


@pytest.mark.parametrize(
    ("number", "reason", "code"),
    [
        pytest.param(errno.ENOSPC, "VolumeUnavailable", 11, id="full: a person must enlarge it"),
        pytest.param(errno.ESTALE, "TrainerCrashed", 20, id="away: another attempt may find it"),
    ],
)
def test_a_volume_that_takes_no_file_is_told_apart_from_a_crash(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, *, number: int, reason: str, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(entry, "run_child", refuse)
    ended, record = call(attempt, "done", monkeypatch)
    assert (ended, record.reason, record.exit_code) == (code, reason, code)
    assert os.strerror(number) in record.message
