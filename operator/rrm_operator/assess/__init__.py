"""What is seen, judged: `assess` turns a training and its snapshot into stage, conditions and status.

Pure: no clock, no randomness, no environment, no logging; `now` is an argument.
"""

from dataclasses import dataclass
from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.run import LOG_TAIL_CHARS
from rrm_api.status import ExportStatus, FailureStatus, Metric, ResolvedStatus, TrainingStatus
from rrm_operator.assess.conditions import MAX_MESSAGE, dated, detail_claims, main_claims, unknown_details
from rrm_operator.assess.failures import RECORD_GRACE_SECONDS, Failure, attempt_failure, job_failure
from rrm_operator.assess.moments import seconds_of, written
from rrm_operator.assess.progress import (
    attempts_status,
    checkpoints_status,
    cluster_status,
    is_counting,
    progress_status,
)
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.stage import Finding, find_stage, is_replaced, prepare_failure, until_pod_is_missed
from rrm_operator.facts import JobFact

FRESH_SECONDS: Final = 60.0
"""A progress report younger than this says enough: Ray is not asked."""
_SAFETY_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Assessment:
    """What is to be said about a training, and what `plan` builds on."""

    finding: Finding
    status: TrainingStatus
    next_look_seconds: float | None
    """When to look again without an event; None = only on events."""
    situation: Situation | None = None
    """What was seen; None if the spec could not be read, and nothing can be planned."""

    @property
    def stage(self) -> Stage:
        """Where the training is."""
        return self.finding.stage


def assess(situation: Situation) -> Assessment:
    """Return what is to be said about a training."""
    finding = find_stage(situation)
    return Assessment(finding, _status(situation, finding), next_look_seconds(situation, finding), situation)


def assess_unreadable(previous: TrainingStatus, *, generation: int, message: str, now: float) -> Assessment:
    """Return what is to be said about a training whose spec this operator cannot read: the second gate."""
    finding = Finding(Stage.STALLED, Reason.INVALID_SPEC, message)
    claims = (*main_claims(finding), *unknown_details())
    status = previous.model_copy(
        update={
            "observed_generation": generation,
            "conditions": list(dated(claims, previous.conditions, generation=generation, now=now)),
            "stage": finding.stage,
            "start_time": previous.start_time or written(now),
            "failure": FailureStatus(reason=finding.reason, message=message),
        }
    )
    return Assessment(finding, status, next_look_seconds=None)


def next_look_seconds(situation: Situation, finding: Finding) -> float | None:
    """Return when something may be due that no event will tell of."""
    match finding.stage:
        case Stage.STARTING | Stage.TRAINING:
            return _until_ray_is_asked(situation)
        case Stage.PREPARING:
            return _until_job_is_judged(situation, situation.prepare_job)
        case Stage.EXPORTING:
            return _until_job_is_judged(situation, situation.export_job)
        case Stage.RELEASING | Stage.PENDING:
            return _SAFETY_SECONDS
        case _:
            return None


def _until_job_is_judged(situation: Situation, job: JobFact | None) -> float | None:
    if job is not None and job.finished_time:
        return RECORD_GRACE_SECONDS / 2
    wait = until_pod_is_missed(situation, job)
    return wait if wait is not None and wait > 0 else None


def _until_ray_is_asked(situation: Situation) -> float:
    progress = situation.progress
    reported = seconds_of(progress.time) if progress is not None and situation.progressed else None
    if situation.head_is_suspect:
        return situation.ray_poll_seconds
    age = situation.now - reported if reported is not None else FRESH_SECONDS
    return max(situation.ray_poll_seconds, FRESH_SECONDS - age)


def _status(situation: Situation, finding: Finding) -> TrainingStatus:
    previous, generation = situation.training.status, situation.training.metadata.generation
    checkpoints = checkpoints_status(situation)
    counting = is_counting(situation, finding)
    claims = (*main_claims(finding), *detail_claims(situation, checkpoints))
    final = finding.stage in (Stage.SUCCEEDED, Stage.FAILED)
    now = written(situation.now)
    return TrainingStatus(
        observed_generation=generation,
        conditions=list(dated(claims, previous.conditions, generation=generation, now=situation.now)),
        stage=finding.stage,
        attempt=(situation.attempt if counting else situation.counted) or None,
        progress=progress_status(situation),
        attempts=list(attempts_status(situation, finding, counting=counting)),
        cluster=cluster_status(situation),
        checkpoints=checkpoints,
        data=situation.prepared.data if situation.prepared is not None else None,
        floors=situation.prepared.floors if situation.prepared is not None else [],
        base=_base(situation),
        export=_export(situation),
        start_time=previous.start_time or now,
        completion_time=(previous.completion_time or now) if final else None,
        failure=_failure(situation, finding),
        resolved=_resolved(situation),
    )


def _base(situation: Situation) -> list[Metric]:
    """Return the numbers of the untrained model: only the first attempt measures them."""
    trained, progress = situation.trained, situation.progress
    found = (
        trained.base if trained is not None else [],
        progress.base if progress is not None else [],
        situation.training.status.base,
    )
    return next((it for it in found if it), [])


def _export(situation: Situation) -> ExportStatus | None:
    record = situation.export_record
    return record.exported if record is not None and situation.trained is not None else None


def _failure(situation: Situation, finding: Finding) -> FailureStatus | None:
    failure = _cause(situation, finding)
    if failure is None:
        return None
    return FailureStatus(
        reason=failure.reason,
        message=failure.message[:MAX_MESSAGE],
        exit_code=failure.exit_code,
        log_tail=failure.log_tail[-LOG_TAIL_CHARS:] or None,
    )


def _cause(situation: Situation, finding: Finding) -> Failure | None:
    """Return why it does not go on; while pods of a failed attempt are still leaving, why they leave."""
    if finding.stage is Stage.RELEASING:
        return None if is_replaced(situation) else attempt_failure(situation)
    if finding.stage not in (Stage.STALLED, Stage.FAILED):
        return None
    export = job_failure(situation, situation.export_job, situation.export_record)
    causes = (attempt_failure(situation), prepare_failure(situation), export)
    plain = Failure(finding.reason, finding.message)
    return next((it for it in causes if it is not None and it.reason is finding.reason), plain)


def _resolved(situation: Situation) -> ResolvedStatus | None:
    prepared, known = situation.prepared, situation.training.status.resolved
    if prepared is None:
        return None
    if situation.prepare_record is None and known is not None:
        return known  # Edited since: this is what the attempt was made with.
    return ResolvedStatus(
        image=situation.image, preset=prepared.preset, model_revision=prepared.model_revision
    )


__all__ = ["Assessment", "Finding", "Situation", "assess", "assess_unreadable"]
