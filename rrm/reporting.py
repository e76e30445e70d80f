"""The process edge: every `rrm` process ends here, with one record, one message and one exit code.

`end_with_record` runs the work, makes a `Record` of its result or its error, and hands that to `report`: into
the progress ConfigMap in Kubernetes, always into the pod's termination message, and as a line for people.
"""

import logging
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from rrm.config_map import ConfigMapAccess, ConfigMapRefused, merge_keys
from rrm.errors import RrmError
from rrm.train.log import Masker
from rrm_api.conditions import Reason
from rrm_api.run import LOG_TAIL_CHARS, MESSAGE_CHARS, ExitCode, Prepared, Record, Result, Role, Trained
from rrm_api.status import ExportStatus

LOG = logging.getLogger(__name__)
TERMINATION_LOG = Path("/dev/termination-log")
TERMINATION_BYTES = 4096
"""What the kubelet reads of a termination message."""

_UNEXPECTED = {
    Role.PREPARE: Reason.PREPARE_FAILED,
    Role.TRAIN: Reason.TRAINING_FAILED,
    Role.EXPORT: Reason.EXPORT_FAILED,
}


@dataclass(frozen=True)
class Ending:
    """How a process ended, before it is written down.

    Attributes:
        reason: One word of the API's closed list.
        message: A sentence for people.
        exit_code: Class of the ending; 0 = done.
        prepared: What preparing found.
        trained: What training left behind.
        exported: What exporting left behind.
        log_tail: Last lines of the log.
    """

    reason: Reason
    message: str
    exit_code: ExitCode = ExitCode.DONE
    prepared: Prepared | None = None
    trained: Trained | None = None
    exported: ExportStatus | None = None
    log_tail: str = ""


@dataclass(frozen=True)
class Job:
    """Who reports.

    Attributes:
        role: Key of the record.
        input_digest: Digest of what was read; empty if it could not be read.
        attempt: Number of the attempt; 0 for prepare and export.
    """

    role: Role
    input_digest: str = ""
    attempt: int = 0


def end_with_record(job: Job, work: Callable[[], Ending]) -> int:
    """Run the work, report how it ended, and return the process's exit code."""
    try:
        ending = work()
    except RrmError as error:
        ending = Ending(error.reason, str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the process edge
        trace = Masker(os.environ).mask(traceback.format_exc())
        LOG.error("%s failed: %s", job.role, trace)  # noqa: TRY400 - that would show secrets
        ending = Ending(
            _UNEXPECTED[job.role],
            f"{type(error).__name__}: {error}",
            ExitCode.INFRASTRUCTURE,
            log_tail=traceback.format_exc(),
        )
    report(record_of(job, ending, datetime.now(UTC)))
    return int(ending.exit_code)


def record_of(job: Job, ending: Ending, now: datetime) -> Record:
    """Return the machine-readable record of an ending, secrets of this process masked."""
    masker = Masker(os.environ)
    results = {ExitCode.DONE: Result.DONE, ExitCode.STOPPED: Result.STOPPED}
    return Record(
        role=job.role,
        attempt=job.attempt,
        input_digest=job.input_digest,
        result=results.get(ending.exit_code, Result.FAILED),
        reason=ending.reason,
        message=masker.mask(ending.message)[:MESSAGE_CHARS],
        exit_code=int(ending.exit_code),
        finished_time=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        log_tail=masker.mask(ending.log_tail)[-LOG_TAIL_CHARS:],
        prepared=ending.prepared,
        trained=ending.trained,
        exported=ending.exported,
    )


def report(record: Record, *, termination_log: Path = TERMINATION_LOG) -> None:
    """Write the record to wherever somebody waits for it; never raises because nobody listens."""
    try:
        if termination_log.exists():
            termination_log.write_bytes(termination_message(record))
    except (OSError, ValueError) as error:
        LOG.warning("no termination message: %s", error)
    access = ConfigMapAccess.from_environment(os.environ)
    if access is not None:
        try:
            merge_keys(access, {record.role.value: record.model_dump_json(by_alias=True, exclude_none=True)})
        except ConfigMapRefused as error:
            LOG.warning("the record is only in the termination message: %s", error)
    typer.echo(f"{record.result} {record.reason}: {record.message}", err=record.exit_code != 0)


def termination_message(record: Record) -> bytes:
    """Return the record as JSON of at most 4,096 bytes; log and message are shortened, never the JSON cut."""
    log_chars, message_chars = len(record.log_tail), len(record.message)
    while True:
        tail = record.log_tail[len(record.log_tail) - log_chars :]
        short = record.model_copy(update={"log_tail": tail, "message": record.message[:message_chars]})
        text = short.model_dump_json(by_alias=True, exclude_none=True).encode()
        if len(text) <= TERMINATION_BYTES:
            return text
        if log_chars:
            log_chars //= 2
        elif message_chars > 256:
            message_chars //= 2
        else:
            return (
                record.model_copy(
                    update={
                        "log_tail": "",
                        "message": record.message[:256],
                        "prepared": None,
                        "trained": None,
                    }
                )
                .model_dump_json(by_alias=True, exclude_none=True)
                .encode()
            )
