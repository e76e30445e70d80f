"""The thin parent: starts the child in its own process group, watches the volume, and knows how it ended.

Used by `python -m rrm.train` on the Ray head and by `rrm run` on this machine; they differ in their `Watcher`
only.
"""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from rrm.judge.metrics import as_metrics
from rrm.train.attempt import Attempt, write_json
from rrm.train.checkpoints import status_of
from rrm.train.log import JobLog, Masker
from rrm.train.progress import ProgressReader
from rrm.train.termination import Termination, kill_group
from rrm.train.validations import read_validations, rewards_of
from rrm.train.versions import installed_versions
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Progress, Trained

LOG = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0
READER_SECONDS: Final = 2.0
"""How long the last lines of a child that has ended may take to arrive."""
CHILD_MODULE_VARIABLE: Final = "RRM_TRAIN_CHILD_MODULE"
"""A seam for tests: the module that is started instead of the real child, under the same contract."""
_CHILD_MODULE: Final = "rrm.train.child"
_FULL: Final = ("No space left on device", "Disk quota exceeded")


class Watcher(Protocol):
    """Who wants to know, and who may ask to stop."""

    def on_progress(self, progress: Progress) -> None:
        """Take a progress document that differs from the last one."""

    def is_stop_asked(self) -> bool:
        """Tell whether the attempt shall save and leave."""


@dataclass(frozen=True)
class Ended:
    """How the child ended.

    Attributes:
        reason: One word of the API's closed list.
        message: A sentence for people.
        exit_code: The child's own, or 128 + the signal that killed it.
        failure_class: What the parent exits with.
        log_tail: Its last lines, secrets masked.
    """

    reason: Reason
    message: str
    exit_code: int
    failure_class: ExitCode
    log_tail: str


def child_command(attempt: Attempt, *, ray_address: str | None, ray_temp: Path | None) -> list[str]:
    """Return the command line of the child: the real one, unless a test names another."""
    settings = [part for name, value in attempt.settings().items() for part in (f"--{name}", value)]
    address = ["--ray-address", ray_address] if ray_address else []
    temp = ["--ray-temp", str(ray_temp)] if ray_temp else []
    module = os.environ.get(CHILD_MODULE_VARIABLE, _CHILD_MODULE)
    return [sys.executable, "-m", module, *settings, *address, *temp]


def run_child(
    attempt: Attempt,
    command: Sequence[str],
    watcher: Watcher,
    *,
    echo: Callable[[str], object] | None = None,
    termination: Termination | None = None,
) -> Ended:
    """Run the child to its end, whatever that is; SIGTERM to this process is passed on to it.

    Args:
        attempt: What is tried.
        command: Command line of the child.
        watcher: Who wants to know.
        echo: Takes each line of the child, secrets masked.
        termination: Who is told of SIGTERM, if somebody listens already.
    """
    attempt.folder.mkdir(parents=True, exist_ok=True)
    # What an earlier start of the same attempt said is not said by this one.
    for said in (attempt.progress, attempt.rows, attempt.heartbeat, attempt.outcome, attempt.ending):
        said.unlink(missing_ok=True)
    write_json(attempt.run_copy, attempt.run.manifest())
    write_json(attempt.versions, installed_versions())
    log = JobLog(attempt.job_log, Masker(os.environ), echo)
    with nullcontext(termination) if termination else Termination() as listening, _start(command) as child:
        assert child.stdout is not None
        reader = _start_reader(log, child.stdout)
        with listening.of(child):
            _watch(attempt, child, watcher)
        # The reader ends when the last process that holds the pipe does.
        kill_group(child.pid, signal.SIGKILL)
        reader.join(timeout=READER_SECONDS)
    return _ended(attempt, child.returncode, log.tail(), was_told=listening.is_asked)


def _start(command: Sequence[str]) -> "subprocess.Popen[str]":
    """Start the child in a process group of its own."""
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )


def _start_reader(log: JobLog, lines: IO[str]) -> threading.Thread:
    reader = threading.Thread(target=log.copy, args=(lines,), daemon=True)
    reader.start()
    return reader


def _watch(attempt: Attempt, child: "subprocess.Popen[str]", watcher: Watcher) -> None:
    reader, last = ProgressReader(attempt), None
    while True:
        has_ended = child.poll() is not None
        progress = reader.read()
        if progress is not None and progress != last:
            watcher.on_progress(progress)
            last = progress
        if has_ended:
            return
        _pass_stop_on(attempt, watcher)
        time.sleep(LOOK_SECONDS)


def _pass_stop_on(attempt: Attempt, watcher: Watcher) -> None:
    try:
        if not attempt.stop_mark.exists() and watcher.is_stop_asked():
            attempt.stop_mark.touch()
    except OSError as error:  # the volume is away for a moment: the next look asks again
        LOG.warning("the stop mark of attempt %s is out of reach: %s", attempt.number, error)


def _ended(attempt: Attempt, code: int, tail: str, *, was_told: bool) -> Ended:
    said = _said(attempt, tail)
    if said is not None:
        return said
    exit_code = code if code >= 0 else 128 - code
    how = f"exit code {exit_code}" + (f" ({signal.Signals(-code).name})" if code < 0 else "")
    progress = ProgressReader(attempt).read()
    where = f" after step {progress.step}" if progress else " before its first sign of life"
    why = ", told to end by SIGTERM as by a stop of its Ray job" if was_told else ""
    message = f"the trainer ended with {how}{where}{why}; see {attempt.job_log}"
    if any(words in tail for words in _FULL):
        return Ended(Reason.VOLUME_UNAVAILABLE, _full(attempt), exit_code, ExitCode.CONFIGURATION, tail)
    return Ended(Reason.TRAINER_CRASHED, message, exit_code, ExitCode.INFRASTRUCTURE, tail)


def _full(attempt: Attempt) -> str:
    free = shutil.disk_usage(attempt.volume).free / 2**30
    return (
        f"the volume is full ({free:.1f} GiB free): the trainer could not write; enlarge "
        f"spec.checkpoints.volume.size or lower checkpoints.keepLast; see {attempt.job_log}"
    )


def _said(attempt: Attempt, tail: str) -> Ended | None:
    """Return what the child itself said of its end; None if it came to nothing."""
    try:
        if not attempt.ending.is_file():
            return None
        said = json.loads(attempt.ending.read_text())
        code = ExitCode(said["exit_code"])
        return Ended(Reason(said["reason"]), said["message"], int(code), code, tail)
    except (OSError, ValueError, KeyError, TypeError) as error:
        LOG.warning("%s is not readable: %s", attempt.ending, error)
        return None


def trained_by(attempt: Attempt) -> Trained:
    """Return what lies on the volume after an attempt, whether it went to the end or not."""
    validations = read_validations(attempt.validations)
    checkpoints = status_of(attempt.layout.checkpoints, rewards_of(validations), volume=attempt.volume)
    progress = ProgressReader(attempt).read()
    best = {} if checkpoints.best_step is None else validations.get(checkpoints.best_step, {})
    return Trained(
        step=max(progress.step if progress else 0, checkpoints.latest_step or 0),
        total_steps=attempt.run.prepared.total_steps,
        checkpoints=checkpoints,
        base=as_metrics(validations.get(0, {})),
        best=as_metrics(best),
    )
