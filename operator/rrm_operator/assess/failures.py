"""How a prepare or export Job went wrong: in its own words first, else by what is seen of its pod."""

import re
from dataclasses import dataclass, replace
from typing import Final

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Record, Result
from rrm_operator.assess.moments import seconds_of
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import JobFact, PodFact, PodRole

RECORD_GRACE_SECONDS: Final = 10.0
"""How long a record may take after its process has ended: two watches may run at different speeds."""
LOST_AFTER_SECONDS: Final = 300.0
"""How long Ray may be silent before a second witness decides."""

KEPT_REASONS: Final = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.DATA_INVALID,
        Reason.MODEL_UNAVAILABLE,
        Reason.VOLUME_UNAVAILABLE,
        Reason.CHECKPOINT_MISMATCH,
        Reason.PLUGIN_FAILED,
        Reason.REWARD_COLLAPSED,
        Reason.KL_TOO_HIGH,
        Reason.PARSE_RATE_LOW,
        Reason.RESPONSES_TRUNCATED,
        Reason.ZERO_VARIANCE,
        Reason.NOT_LEARNING,
    }
)
"""Reasons that a process may give and that say more than that it failed."""
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
"""Ray writes for terminals."""
_BY_EXIT_CODE: Final = {
    ExitCode.DATA: Reason.DATA_INVALID,
    ExitCode.CONFIGURATION: Reason.INVALID_SPEC,
    ExitCode.MODEL: Reason.MODEL_UNAVAILABLE,
    ExitCode.PLUGIN: Reason.PLUGIN_FAILED,
}


@dataclass(frozen=True)
class Failure:
    """Why something does not go on."""

    reason: Reason
    message: str
    exit_code: int | None = None
    log_tail: str = ""


def job_failure(situation: Situation, job: JobFact | None, record: Record | None) -> Failure | None:
    """Return why a prepare or export Job failed; None while it runs or its record is awaited."""
    if job is None or not job.finished_time:
        return None
    fallback = Reason.PREPARE_FAILED if job.role.value == PodRole.PREPARE else Reason.EXPORT_FAILED
    pods = situation.pods(PodRole(job.role.value), owner=job.name)
    pod = max(pods, key=lambda it: it.creation_time, default=None)  # An evicted one is followed by another.
    if record is not None and record.result is not Result.DONE and _is_about(record, job, pod):
        return _with_remedy(_from_record(record, fallback), job, situation)
    # Of a time that is far ahead nothing can be said: then a clock was wrong.
    if abs(situation.now - (seconds_of(job.finished_time) or 0)) < RECORD_GRACE_SECONDS:
        return None
    code = pod.exit_code if pod is not None else None
    words = [
        job.message if job.failed else "it ended without a record",
        last_words(pod),
        *unreadable_answers(situation),
        _more_memory(pod),
    ]
    failure = Failure(
        reason=_BY_EXIT_CODE.get(ExitCode(code), fallback) if code in set(ExitCode) else fallback,
        message=f"Job {job.name}: " + "; ".join(word for word in words if word),
        exit_code=code,
    )
    return _with_remedy(failure, job, situation)


def _with_remedy(failure: Failure, job: JobFact, situation: Situation) -> Failure:
    """Return a failure that no edit of the spec is needed for, with what makes the Job run again."""
    if failure.reason not in (Reason.PREPARE_FAILED, Reason.EXPORT_FAILED):
        return failure
    message = f"{failure.message}; {retry_hint(situation)}"
    if job.overdue:
        limit = situation.training.spec.policy.job_deadline_seconds
        message = (
            f"not done in time ({limit} s): raise spec.policy.jobDeadlineSeconds unless it hung; {message}"
        )
    return replace(failure, message=message)


def retry_hint(situation: Situation) -> str:
    """Return what to say to try again without an edit of the spec."""
    training = situation.training.metadata
    return (
        f"`kubectl annotate rmt {training.name} --namespace {training.namespace} --overwrite "
        f'{group.ANNOTATION_RETRY}="$(date +%s)"` tries it again'
    )


def _more_memory(pod: PodFact | None) -> str:
    """Return what to do about a process that was killed for its memory."""
    if pod is None or pod.termination_reason != "OOMKilled":
        return ""
    return "it needs more memory than its limit: raise limits.memory in spec.jobs.resources"


def _is_about(record: Record, job: JobFact, pod: PodFact | None) -> bool:
    """Return whether a record can be this Job's: an earlier Job may have answered the same intent."""
    if job.succeeded:
        return record.exit_code == 0
    return pod is None or pod.exit_code in (None, record.exit_code)


def _from_record(record: Record, fallback: Reason) -> Failure:
    reason = record.reason if record.reason in KEPT_REASONS else fallback
    return Failure(reason, record.message, record.exit_code, record.log_tail)


def unreadable_answers(situation: Situation) -> tuple[str, ...]:
    """Return what a process wrote that nobody can read, with why."""
    return tuple(f"its answer cannot be read: {why}" for why in situation.answers.unreadable)


def last_words(pod: PodFact | None) -> str:
    """Return what the kubelet tells of a pod's end."""
    if pod is None:
        return ""
    code = f"exit code {pod.exit_code}" if pod.exit_code is not None else ""
    said = _COLOURS.sub("", pod.termination_message or "").strip()[-1024:]
    return ", ".join(word for word in (code, pod.termination_reason or "", said) if word)
