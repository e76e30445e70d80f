"""The thin parent: starts the child in its own process group, watches the volume, and knows how it ended.

Used by `python -m rrm.train` on the Ray head and by `rrm run` on this machine; they differ in their `Watcher`
only.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from rrm.judge.metrics import as_metrics
from rrm.train.attempt import Attempt, write_json
from rrm.train.checkpoints import status_of
from rrm.train.log import JobLog, Masker
from rrm.train.progress import ProgressReader
from rrm.train.validations import read_validations, rewards_of
from rrm.train.versions import installed_versions
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Progress, Trained

LOG = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0
TERMINATION_SECONDS: Final = 20.0
"""What the child gets between SIGTERM and SIGKILL."""


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
    """Return the command line of the real child."""
    settings = [part for name, value in attempt.settings().items() for part in (f"--{name}", value)]
    address = ["--ray-address", ray_address] if ray_address else []
    temp = ["--ray-temp", str(ray_temp)] if ray_temp else []
    return [sys.executable, "-m", "rrm.train.child", *settings, *address, *temp]


def run_child(
    attempt: Attempt,
    command: Sequence[str],
    watcher: Watcher,
    *,
    echo: Callable[[str], object] | None = None,
) -> Ended:
    """Run the child to its end, whatever that is; SIGTERM to this process is passed on to it."""
    attempt.folder.mkdir(parents=True, exist_ok=True)
    # What an earlier start of the same attempt said is not said by this one.
    for said in (attempt.progress, attempt.rows, attempt.heartbeat, attempt.outcome, attempt.ending):
        said.unlink(missing_ok=True)
    write_json(attempt.run_copy, attempt.run.manifest())
    write_json(attempt.versions, installed_versions())
    log = JobLog(attempt.job_log, Masker(os.environ), echo)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        reader = _start_reader(log, child.stdout)
        with _Terminator(child):
            _watch(attempt, child, watcher)
        # The reader ends when the last process that holds the pipe does.
        _kill_group(child.pid, signal.SIGKILL)
        reader.join(timeout=TERMINATION_SECONDS)
    return _ended(attempt, child.returncode, log.tail())


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


class _Terminator:
    """While active, SIGTERM to this process ends the child's group, by force if it takes too long."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self._child = child
        self._previous: object = None
        self._is_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._is_main:
            self._previous = signal.signal(signal.SIGTERM, self._terminate)

    def _terminate(self, *_: object) -> None:
        _kill_group(self._child.pid, signal.SIGTERM)
        timer = threading.Timer(TERMINATION_SECONDS, _kill_group, (self._child.pid, signal.SIGKILL))
        timer.daemon = True
        timer.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._is_main:
            signal.signal(signal.SIGTERM, self._previous)  # type: ignore[arg-type]
        if kind is not None:  # Ctrl-C, or an error of the watcher: nothing may be left behind
            _kill_group(self._child.pid, signal.SIGTERM)


def _kill_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def _ended(attempt: Attempt, code: int, tail: str) -> Ended:
    if attempt.ending.is_file():
        said = json.loads(attempt.ending.read_text())
        return Ended(
            Reason(said["reason"]), said["message"], said["exit_code"], ExitCode(said["exit_code"]), tail
        )
    exit_code = code if code >= 0 else 128 - code
    how = f"exit code {exit_code}" + (f" ({signal.Signals(-code).name})" if code < 0 else "")
    progress = ProgressReader(attempt).read()
    where = f" after step {progress.step}" if progress else " before its first sign of life"
    return Ended(
        Reason.TRAINING_FAILED,
        f"the trainer ended with {how}{where}; see {attempt.job_log}",
        exit_code,
        ExitCode.INFRASTRUCTURE,
        tail,
    )


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
