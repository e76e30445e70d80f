"""What is seen, judged: `assess` turns a training and its snapshot into stage, conditions and status.

Pure: no clock, no randomness, no environment, no logging; `now` is an argument.
"""

from dataclasses import dataclass
from typing import Final

from rrm_api.conditions import ConditionStatus, ConditionType, Reason, Stage
from rrm_api.run import LOG_TAIL_CHARS
from rrm_api.status import ExportStatus, FailureStatus, Metric, ResolvedStatus, TrainingStatus
from rrm_operator.assess.accounting import active_time, gpu_seconds
from rrm_operator.assess.attempts import Begun, attempts_status, begun
from rrm_operator.assess.conditions import (
    MAX_MESSAGE,
    dated,
    detail_conditions,
    main_conditions,
    unknown_details,
)
from rrm_operator.assess.consequences import GiveUp, consequence
from rrm_operator.assess.endings import attempt_ending
from rrm_operator.assess.failures import Failure
from rrm_operator.assess.looks import FRESH_SECONDS, next_look_seconds, ray_question_seconds
from rrm_operator.assess.moments import written
from rrm_operator.assess.progress import checkpoints_status, cluster_status, progress_status
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.stage import find_stage
from rrm_operator.assess.stage_jobs import export_failure, prepare_failure
from rrm_operator.assess.standing import Standing
from rrm_operator.facts import Snapshot

_TELLS_WHY: Final = frozenset({Stage.RELEASING, Stage.BACKING_OFF})
_MUST_ACT: Final = frozenset({Stage.STALLED, Stage.FAILED})


@dataclass(frozen=True)
class Assessment:
    """What is to be said about a training, and what `plan` builds on."""

    standing: Standing
    status: TrainingStatus
    next_look_seconds: float | None
    """When to look again without an event; None = only on events."""
    situation: Situation | None = None
    """What was seen; None if the spec could not be read, and nothing can be made."""
    new: Begun | None = None
    """The attempt that is counted now."""
    unread: Snapshot | None = None
    """What was seen where the spec could not be read."""

    @property
    def stage(self) -> Stage:
        """Where the training is."""
        return self.standing.stage


def assess(situation: Situation) -> Assessment:
    """Return what is to be said about a training."""
    standing = find_stage(situation)
    new = begun(situation, standing)
    status = _status(situation, standing, new)
    return Assessment(standing, status, next_look_seconds(situation, standing), situation, new)


def assess_unreadable(seen: Snapshot, previous: TrainingStatus, *, message: str, now: float) -> Assessment:
    """Return what is to be said about a training whose spec this operator cannot read: the second gate."""
    if seen.clusters:
        message = f"{message}; what runs goes on until it ends, or spec.suspend is true"
    generation = seen.manifest["metadata"].get("generation", 0)
    standing = _unreadable(previous, message)
    undated = (*main_conditions(standing), *unknown_details())
    status = previous.model_copy(
        update={
            "observed_generation": generation,
            "conditions": list(dated(undated, previous.conditions, generation=generation, now=now)),
            "stage": standing.stage,
            "start_time": previous.start_time or written(now),
            "failure": FailureStatus(reason=Reason.INVALID_SPEC, message=message[:MAX_MESSAGE]),
        }
    )
    return Assessment(standing, status, next_look_seconds=None, unread=seen)


def _unreadable(previous: TrainingStatus, message: str) -> Standing:
    """Return that a spec cannot be read, without taking back how the training ended."""
    said = previous.condition(ConditionType.SUCCEEDED)
    ended = said.status if said is not None else ConditionStatus.UNKNOWN
    if said is not None and ended == ConditionStatus.TRUE:
        return Standing(Stage.SUCCEEDED, Reason.SUCCEEDED, said.message)
    stage = Stage.FAILED if ended == ConditionStatus.FALSE else Stage.STALLED
    return Standing(stage, Reason.INVALID_SPEC, message)


def _status(situation: Situation, standing: Standing, new: Begun | None) -> TrainingStatus:
    previous, generation = situation.training.status, situation.training.metadata.generation
    checkpoints = checkpoints_status(situation)
    undated = (*main_conditions(standing), *detail_conditions(situation, checkpoints))
    final = standing.stage in (Stage.SUCCEEDED, Stage.FAILED)
    now = written(situation.now)
    return TrainingStatus(
        observed_generation=generation,
        conditions=list(dated(undated, previous.conditions, generation=generation, now=situation.now)),
        stage=standing.stage,
        attempt=(new.number if new is not None else situation.counted) or None,
        progress=progress_status(situation),
        attempts=list(attempts_status(situation, new)),
        cluster=cluster_status(situation),
        checkpoints=checkpoints,
        data=situation.prepared.data if situation.prepared is not None else None,
        floors=situation.prepared.floors if situation.prepared is not None else [],
        base=_base(situation),
        export=_export(situation),
        start_time=previous.start_time or now,
        completion_time=(previous.completion_time or now) if final else None,
        failure=_failure(situation, standing),
        resolved=_resolved(situation),
        gpu_seconds=gpu_seconds(situation, standing),
        active=active_time(situation, standing),
        last_handled_retry=_handled_retry(situation, standing),
    )


def _handled_retry(situation: Situation, standing: Standing) -> str | None:
    """Return the retry that was acted upon last: an attempt forgiven, a failed Job removed, or in vain."""
    known = situation.training.status.last_handled_retry
    if not situation.retried:
        return known
    # In whatever stage: it may be suspended, and its Job is only removed when it goes on.
    export = situation.export_job if standing.stage is not Stage.SUCCEEDED else None
    has_ended = export is not None and bool(export.finished_time)
    is_removed_first = has_ended or prepare_failure(situation) is not None
    return known if is_removed_first else situation.training.metadata.retry


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
    if record is not None and situation.trained is not None and record.exported is not None:
        return record.exported
    return situation.training.status.export


def _failure(situation: Situation, standing: Standing) -> FailureStatus | None:
    if standing.stage is Stage.SUSPENDED:
        return situation.training.status.failure
    failure = _cause(situation, standing)
    if failure is None:
        return None
    return FailureStatus(
        reason=failure.reason,
        message=failure.message[:MAX_MESSAGE],
        exit_code=failure.exit_code,
        log_tail=failure.log_tail[-LOG_TAIL_CHARS:] or None,
        input_digest=situation.export_input if failure.reason is Reason.EXPORT_FAILED else None,
    )


def _cause(situation: Situation, standing: Standing) -> Failure | None:
    """Return why it does not go on; while pods of a failed attempt are still leaving, why they leave."""
    ending, follows = attempt_ending(situation), consequence(situation)
    if standing.stage in _TELLS_WHY:
        return None if ending is None or ending.reason is Reason.REPLACED else ending
    if standing.stage not in _MUST_ACT:
        return None
    given_up = follows.failure if isinstance(follows, GiveUp) else None
    causes = (given_up, prepare_failure(situation), export_failure(situation))
    plain = Failure(standing.reason, standing.message)
    return next((it for it in causes if it is not None and it.reason is standing.reason), plain)


def _resolved(situation: Situation) -> ResolvedStatus | None:
    prepared, known = situation.prepared, situation.training.status.resolved
    if prepared is None or (situation.prepare_record is None and known is not None):
        return known  # Edited since: this is what the attempt was made with.
    return ResolvedStatus(
        image=situation.image,
        requested_image=situation.training.spec.image,
        preset=prepared.preset,
        model_revision=prepared.model_revision,
    )


__all__ = [
    "FRESH_SECONDS",
    "Assessment",
    "Situation",
    "Standing",
    "assess",
    "assess_unreadable",
    "ray_question_seconds",
]
