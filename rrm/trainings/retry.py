"""Whether trying a training again can do anything, and what follows: the operator's rules, told before."""

from datetime import UTC, datetime

from rrm.trainings.errors import NothingToRetry
from rrm.trainings.reading import TrainingSeen
from rrm_api.conditions import ConditionStatus, ConditionType, Reason, Stage
from rrm_api.status import AttemptStatus, TrainingStatus

_GAVE_WAY = frozenset({Reason.SUSPENDED, Reason.PREEMPTED, Reason.DRAINED, Reason.REPLACED})
"""Reasons of an attempt that ended well: it only made room, and goes on without a retry."""


def fresh_value(now: datetime) -> str:
    """Return a value that no earlier retry had: the time, to the microsecond.

    >>> fresh_value(datetime(2026, 3, 1, 9, 5, tzinfo=UTC))
    '2026-03-01T09:05:00.000000Z'
    """
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def what_follows(training: TrainingSeen) -> str:
    """Return in a sentence what follows when it is tried again.

    Raises:
        NothingToRetry: It has not failed, or trying again cannot help; says what can.
    """
    status = training.status
    if training.metadata.deletion_timestamp:
        raise NothingToRetry(f"{training.metadata.name} is being deleted: nothing can be tried again")
    match status.stage:
        case Stage.STALLED | Stage.FAILED:
            return _after_failure(training) + _but_suspended(training)
        case Stage.BACKING_OFF:
            return f"attempt {_next(status)} begins at once instead of later, {_from_where(status)}"
        case Stage.RELEASING:
            return _after_release(training) + _but_suspended(training)
        case Stage.SUSPENDED:
            return _after_suspension(training)
        case _:
            raise NothingToRetry(_why_not(training))


def _why_not(training: TrainingSeen) -> str:
    status, name = training.status, training.metadata.name
    if status.stage is Stage.SUCCEEDED:
        return f"{name} has succeeded: to train again, create a training of another name"
    if status.stage is not None:
        return f"{name} is {status.stage} and has not failed: there is nothing to try again"
    if "status.stage" in training.unread:
        return f"{name} is in a stage that this version of rrm does not know: update rrm"
    return f"no operator has looked at {name} yet: there is nothing to try again"


def _after_failure(training: TrainingSeen) -> str:
    status = training.status
    stalled, prepared = (
        status.condition(ConditionType.STALLED),
        status.condition(ConditionType.DATA_PREPARED),
    )
    reason, message = (stalled.reason, stalled.message) if stalled is not None else ("", "")
    if reason == Reason.INVALID_SPEC:
        return _after_invalid_spec(training, message)
    if reason == Reason.KUBERAY_MISSING or _lacks_volume(status, reason):
        raise _goes_on_by_itself(training, reason, message)
    if prepared is not None and prepared.status is ConditionStatus.FALSE:
        return "its data is prepared again"
    if reason == Reason.EXPORT_FAILED:
        return "it is exported again"
    if reason == Reason.PODS_STUCK:
        return _after_release(training)
    if reason == Reason.DEADLINE_EXCEEDED:
        return "it goes on, and its time (spec.policy.activeDeadlineSeconds) starts anew"
    if not _has_broken(_last(status)):
        raise _goes_on_by_itself(training, reason, message)
    return f"attempt {_next(status)} begins {_from_where(status)}"


def _after_invalid_spec(training: TrainingSeen, message: str) -> str:
    prepared = training.status.condition(ConditionType.DATA_PREPARED)
    # Said so only of a spec that cannot be read at all, of which a retry cannot be answered either.
    said = (prepared.status, prepared.reason) if prepared is not None else None
    if said == (ConditionStatus.UNKNOWN, Reason.WAITING):
        raise NothingToRetry(
            f"the spec of {training.metadata.name} cannot be read ({message}): correct it; that is enough"
        )
    return "the spec is tried again as it is; what its message names must be corrected first"


def _lacks_volume(status: TrainingStatus, reason: str) -> bool:
    """Return whether a claim is waited for; an attempt or a Job that found its volume full has failed."""
    last, prepared = _last(status), status.condition(ConditionType.DATA_PREPARED)
    failed = (it.reason for it in (last, prepared) if it is not None)
    return reason == Reason.VOLUME_UNAVAILABLE and reason not in failed


def _goes_on_by_itself(training: TrainingSeen, reason: str, message: str) -> NothingToRetry:
    return NothingToRetry(
        f"{training.metadata.name} goes on by itself once the cause is gone ({reason}: {message}): "
        "there is nothing to try again"
    )


def _after_release(training: TrainingSeen) -> str:
    status, last = training.status, _last(training.status)
    gave_way = last is not None and last.reason in _GAVE_WAY and status.stage is Stage.RELEASING
    if last is None or not _has_broken(last) or gave_way:
        raise NothingToRetry(
            f"{training.metadata.name} gives its GPUs back and has not failed: there is nothing to try again"
        )
    pods = f"the pods of attempt {last.number} are gone"
    return f"attempt {_next(status)} begins once {pods}, {_from_where(status)}"


def _after_suspension(training: TrainingSeen) -> str:
    failure = training.status.failure
    if failure is None or failure.reason in _GAVE_WAY:
        raise NothingToRetry(
            f"{training.metadata.name} is suspended and has not failed: {_resume(training)} lets it go on"
        )
    return f"it is suspended and is tried again when it goes on: {_resume(training)}"


def _but_suspended(training: TrainingSeen) -> str:
    return f", but only when it is no longer suspended: {_resume(training)}" if training.is_suspended else ""


def _resume(training: TrainingSeen) -> str:
    where = f"{training.metadata.name} --namespace {training.metadata.namespace}"
    return f"""`kubectl patch rmt {where} --type merge --patch '{{"spec":{{"suspend":false}}}}'`"""


def _next(status: TrainingStatus) -> int:
    return (status.attempt or 0) + 1


def _from_where(status: TrainingStatus) -> str:
    saved = status.checkpoints.latest_step if status.checkpoints is not None else None
    where = f"from step {saved}" if saved else "from the start"
    return f"{where}, with all its restarts (spec.policy.maxRestarts)"


def _last(status: TrainingStatus) -> AttemptStatus | None:
    return max(status.attempts, key=lambda it: it.number, default=None)


def _has_broken(attempt: AttemptStatus | None) -> bool:
    return attempt is not None and attempt.end_time is not None and attempt.reason != Reason.SUCCEEDED
