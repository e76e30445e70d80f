"""`python -m rrm.train --run FILE --attempt N --digest D`: one attempt, from the run file to its record.

The entrypoint of the Ray job on the head node. Waits for the run file of the given digest, for a mounted
ConfigMap lags behind its object; starts the heavy child; passes progress on; and answers even for a child
that was killed.
"""

import argparse
import errno
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from rrm.errors import RrmError
from rrm.reporting import Ending, Job, record_of, report
from rrm.train.attempt import Attempt
from rrm.train.config_map_watcher import watcher_from
from rrm.train.errors import RunFileMissing
from rrm.train.log import Masker
from rrm.train.parent import Ended, child_command, run_child, trained_by
from rrm.train.sign_of_life import sign_of_life
from rrm.train.termination import Termination
from rrm_api.conditions import Reason
from rrm_api.run import CLAIMS_MOUNT, VOLUME_MOUNT, ExitCode, Role, RunFile, Trained

PATIENCE_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 1.0
LOG = logging.getLogger("rrm.train")


def main(argv: list[str] | None = None, *, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Run one attempt and report it; returns the exit code."""
    arguments = _parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    with Termination() as termination, ExitStack() as until_reported:
        try:
            run = wait_for_run(
                arguments.run, arguments.digest, patience_seconds=patience_seconds, sleep=termination.sleep
            )
            attempt = Attempt(run, arguments.volume, arguments.claims, arguments.attempt)
            until_reported.enter_context(sign_of_life(attempt))
            ended, trained = _run(attempt, arguments, termination)
        except RrmError as error:
            ended, trained = _failed(error.reason, str(error), error.exit_code), None
        except Exception as error:  # noqa: BLE001 - the process edge
            ended, trained = _unexpected(error, arguments.attempt), None
        _report(Job(Role.TRAIN, arguments.digest, arguments.attempt), ended, trained)
    return int(ended.failure_class)


def _run(
    attempt: Attempt, arguments: argparse.Namespace, termination: Termination
) -> tuple[Ended, Trained | None]:
    ended = run_attempt(
        attempt,
        ray_address=arguments.ray_address,
        ray_temp=arguments.ray_temp,
        termination=termination,
    )
    try:
        return ended, trained_by(attempt)
    except (OSError, ValueError) as error:  # how it ended is worth more than what lies there
        LOG.warning("what attempt %s left on the volume is not readable now: %s", attempt.number, error)
        return ended, None


def _report(job: Job, ended: Ended, trained: Trained | None) -> None:
    ending = Ending(
        ended.reason, ended.message, ended.failure_class, trained=trained, log_tail=ended.log_tail
    )
    record = record_of(job, ending, datetime.now(UTC)).model_copy(update={"exit_code": ended.exit_code})
    report(record)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rrm.train", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="run.json")
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--digest", required=True, help="digest of the run file to wait for")
    parser.add_argument("--volume", type=Path, default=Path(VOLUME_MOUNT))
    parser.add_argument("--claims", type=Path, default=Path(CLAIMS_MOUNT))
    parser.add_argument(
        "--ray-address",
        default=os.environ.get("RAY_ADDRESS"),
        help="existing Ray cluster; default: that of the Ray job, else one is started here",
    )
    parser.add_argument("--ray-temp", type=Path, help="folder for a Ray that is started here; a short path")
    return parser.parse_args(argv)


def run_attempt(
    attempt: Attempt,
    *,
    ray_address: str | None,
    ray_temp: Path | None,
    termination: Termination | None = None,
) -> Ended:
    """Run the real child of an attempt, in Kubernetes with the progress ConfigMap as watcher."""
    command = child_command(attempt, ray_address=ray_address, ray_temp=ray_temp)
    watcher = watcher_from(os.environ, attempt.number)
    return run_child(attempt, command, watcher, echo=sys.stdout.write, termination=termination)


def wait_for_run(
    path: Path,
    digest: str,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunFile:
    """Return the run file once it has the digest.

    Raises:
        RunFileMissing: it did not appear in time; says what was there instead.
    """
    deadline = clock() + patience_seconds
    while True:
        found = f"no file at {path}"
        if path.is_file():
            try:
                run = RunFile.model_validate_json(path.read_text())
            except ValidationError as error:
                found = f"{error.error_count()} faults in {path}, first: {error.errors()[0]['msg']}"
            else:
                if run.digest() == digest:
                    return run
                found = f"digest {run.digest()} in {path}"
        if clock() >= deadline:
            raise RunFileMissing(
                f"expected the run file with digest {digest}, found {found} after {patience_seconds:.0f} s; "
                "is the run ConfigMap mounted?"
            )
        sleep(LOOK_SECONDS)


def _unexpected(error: Exception, attempt: int) -> Ended:
    trace = Masker(os.environ).mask(traceback.format_exc())
    LOG.error("attempt %s failed: %s", attempt, trace)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"{error}; enlarge spec.checkpoints.volume.size or lower checkpoints.keepLast"
        return _failed(Reason.VOLUME_UNAVAILABLE, message, ExitCode.CONFIGURATION)
    return _failed(Reason.TRAINER_CRASHED, f"{type(error).__name__}: {error}", ExitCode.INFRASTRUCTURE)


def _failed(reason: Reason, message: str, code: ExitCode) -> Ended:
    return Ended(reason, message, int(code), code, log_tail="")


if __name__ == "__main__":
    sys.exit(main())
