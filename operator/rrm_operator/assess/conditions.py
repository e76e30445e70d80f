"""Conditions: what the standing of a training means for each; `Ready` first, as kstatus reads from the top.

| stage                                    | Ready | Reconciling | Stalled | Succeeded |
|------------------------------------------|-------|-------------|---------|-----------|
| Training                                 | True  | False       | False   | Unknown   |
| Suspended                                | True  | False       | False   | Unknown   |
| Succeeded                                | True  | False       | False   | True      |
| Stalled: a person must act               | False | False       | True    | Unknown   |
| Failed: for good, unless the spec changes| False | False       | True    | False     |
| all others                               | False | True        | False   | Unknown   |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rrm_api.conditions import ConditionStatus, ConditionType, Reason, Stage
from rrm_api.status import CheckpointsStatus, Condition
from rrm_operator.assess.endings import attempt_ending
from rrm_operator.assess.moments import written
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.stage_jobs import export_failure, prepare_failure
from rrm_operator.assess.standing import Standing
from rrm_operator.assess.wanted import cluster_is_ready, next_attempt

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
MAX_MESSAGE: Final = 4096


@dataclass(frozen=True)
class Undated:
    """A condition before it is known when it last changed."""

    type: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str = ""


def main_conditions(standing: Standing) -> tuple[Undated, ...]:
    """Return Ready, Reconciling, Stalled, Succeeded and Suspended, which follow from the stage alone."""
    ready = standing.stage in (Stage.TRAINING, Stage.SUCCEEDED, Stage.SUSPENDED)
    stalled = standing.stage in (Stage.STALLED, Stage.FAILED)
    succeeded = {Stage.SUCCEEDED: TRUE, Stage.FAILED: FALSE}.get(standing.stage, UNKNOWN)
    statuses = {
        ConditionType.READY: TRUE if ready else FALSE,
        ConditionType.RECONCILING: FALSE if ready or stalled else TRUE,
        ConditionType.STALLED: TRUE if stalled else FALSE,
        ConditionType.SUCCEEDED: succeeded,
    }
    main = tuple(
        Undated(kind, status, standing.reason, standing.message) for kind, status in statuses.items()
    )
    rests = standing.stage is Stage.SUSPENDED
    suspended = Undated(
        ConditionType.SUSPENDED,
        TRUE if rests else FALSE,
        Reason.SUSPENDED if rests else Reason.NOT_SUSPENDED,
        standing.message if rests else "",
    )
    return (*main, suspended)


def detail_conditions(situation: Situation, checkpoints: CheckpointsStatus | None) -> tuple[Undated, ...]:
    """Return the conditions about the parts of a training."""
    return (
        _data_prepared(situation),
        _cluster_ready(situation),
        _checkpoint_saved(checkpoints),
        _exported(situation),
        _healthy(situation),
    )


def unknown_details() -> tuple[Undated, ...]:
    """Return the detail conditions of a training that cannot be read."""
    details = (it for it in ConditionType if it not in _MAIN)
    return tuple(Undated(kind, UNKNOWN, Reason.WAITING) for kind in details)


def dated(
    undated: Iterable[Undated], previous: Iterable[Condition], *, generation: int, now: float
) -> tuple[Condition, ...]:
    """Return conditions; `lastTransitionTime` moves only when the status does."""
    before = {condition.type: condition for condition in previous}
    return tuple(_dated(it, before.get(it.type), generation=generation, now=now) for it in undated)


def _dated(undated: Undated, before: Condition | None, *, generation: int, now: float) -> Condition:
    unmoved = before is not None and before.status == undated.status
    return Condition(
        type=undated.type,
        status=undated.status,
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and unmoved else written(now),
        reason=undated.reason,
        message=undated.message[:MAX_MESSAGE],
    )


def _data_prepared(situation: Situation) -> Undated:
    kind, prepared = ConditionType.DATA_PREPARED, situation.prepared
    if prepared is not None:
        dropped = sum(it.rows for it in prepared.data.dropped)
        rows = prepared.data
        message = f"{rows.train} rows to train on, {rows.validation} to validate on, {dropped} dropped"
        return Undated(kind, TRUE, Reason.DATA_PREPARED, message)
    failure = prepare_failure(situation)
    if failure is not None:
        return Undated(kind, FALSE, failure.reason, failure.message)
    return Undated(kind, UNKNOWN, Reason.PREPARING)


def _cluster_ready(situation: Situation) -> Undated:
    kind, cluster, nodes = (
        ConditionType.CLUSTER_READY,
        situation.cluster,
        situation.training.spec.workers.nodes,
    )
    ending = attempt_ending(situation)
    if ending is not None and ending.reason is Reason.CLUSTER_LOST and next_attempt(situation) is None:
        return Undated(kind, FALSE, Reason.CLUSTER_LOST, ending.message)
    if cluster is None:
        over = situation.counted > 0
        return Undated(kind, FALSE, Reason.CLUSTER_RELEASED if over else Reason.WAITING)
    workers = f"{cluster.ready_workers} of {nodes} workers ready"
    if cluster_is_ready(situation):
        return Undated(kind, TRUE, Reason.CLUSTER_READY, f"head and {workers}")
    if cluster.suspended:
        return Undated(kind, FALSE, Reason.QUOTA_PENDING, f"{cluster.name} waits in its queue")
    head = "head" if cluster.head_ready else "no head"
    return Undated(kind, FALSE, Reason.PROVISIONING, f"{head} and {workers}")


def _checkpoint_saved(checkpoints: CheckpointsStatus | None) -> Undated:
    kind = ConditionType.CHECKPOINT_SAVED
    if checkpoints is None or checkpoints.latest_step is None:
        return Undated(kind, FALSE, Reason.NO_CHECKPOINT)
    best = f", best is step {checkpoints.best_step}" if checkpoints.best_step is not None else ""
    return Undated(kind, TRUE, Reason.CHECKPOINT_SAVED, f"step {checkpoints.latest_step} is saved{best}")


def _exported(situation: Situation) -> Undated:
    kind, record = ConditionType.EXPORTED, situation.export_record
    if not situation.training.spec.export.enabled:
        return Undated(kind, FALSE, Reason.EXPORT_DISABLED)
    if situation.trained is None:
        return Undated(kind, UNKNOWN, Reason.WAITING)
    if record is not None and record.exported is not None:
        return Undated(
            kind, TRUE, Reason.EXPORTED, f"step {record.exported.step} is at {record.exported.path}"
        )
    failure = export_failure(situation)
    if failure is not None:
        return Undated(kind, FALSE, Reason.EXPORT_FAILED, failure.message)
    return Undated(kind, UNKNOWN, Reason.EXPORTING)


def _healthy(situation: Situation) -> Undated:
    """Return what the numbers of the newest attempt say about it."""
    kind, progress = ConditionType.HEALTHY, situation.progress
    if progress is None or not situation.progressed:
        return Undated(kind, UNKNOWN, Reason.WAITING)
    if not progress.findings:
        return Undated(kind, TRUE, Reason.HEALTHY)
    message = "; ".join(f"{it.reason} since step {it.step}: {it.message}" for it in progress.findings)
    return Undated(kind, FALSE, progress.findings[0].reason, message)


_MAIN: Final = frozenset(
    {
        ConditionType.READY,
        ConditionType.RECONCILING,
        ConditionType.STALLED,
        ConditionType.SUCCEEDED,
        ConditionType.SUSPENDED,
    }
)
