"""Progress, attempts and checkpoints as they stand in status, from what the trainer reported last."""

from rrm_api.conditions import Reason, Stage
from rrm_api.run import Progress
from rrm_api.status import (
    MAX_ATTEMPTS,
    AttemptStatus,
    CheckpointsStatus,
    ClusterStatus,
    ProgressStatus,
)
from rrm_operator.assess.failures import attempt_failure
from rrm_operator.assess.inputs import shape_of
from rrm_operator.assess.moments import written
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.stage import Finding, is_replaced

_SHORT = 2048


def progress_status(situation: Situation) -> ProgressStatus | None:
    """Return how far the newest attempt is."""
    progress = situation.progress
    if progress is None or progress.attempt != situation.attempt:
        return None
    return ProgressStatus(
        step=max(0, progress.step),
        total_steps=max(0, progress.total_steps),
        percent=percent(progress.step, progress.total_steps),
        eta_seconds=max(0, progress.eta_seconds) if progress.eta_seconds is not None else None,
        reward=number(progress.reward),
        validation=progress.validation,
        lift=number(progress.lift),
        parse_rate=number(progress.parse_rate),
        seconds_per_step=number(progress.seconds_per_step),
        last_progress_time=progress.time,
    )


def percent(step: int, total_steps: int) -> int:
    """Return the share of the steps done, in whole percent from 0 to 100, rounded down; 0 of 0 is 0.

    >>> percent(7, 24), percent(24, 24), percent(0, 0)
    (29, 100, 0)
    """
    return max(0, min(100, 100 * step // total_steps)) if total_steps > 0 else 0


def number(value: float | None) -> str | None:
    """Return a number as the API writes it, with four decimals; None if there is none or it is not finite.

    >>> number(0.62891), number(12.0), number(float("nan"))
    ('0.6289', '12', None)
    """
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return f"{value:.4f}".rstrip("0").rstrip(".")


def checkpoints_status(situation: Situation) -> CheckpointsStatus | None:
    """Return the whole checkpoints; an attempt that has not looked yet does not make them vanish."""
    trained, progress = situation.trained, situation.progress
    record = situation.train_record
    found = (
        trained.checkpoints if trained is not None else None,
        record.trained.checkpoints if record is not None and record.trained is not None else None,
        progress.checkpoints if progress is not None else None,
        situation.training.status.checkpoints,
    )
    return next((it for it in found if it is not None and it.latest_step is not None), None)


def cluster_status(situation: Situation) -> ClusterStatus | None:
    """Return the RayCluster, while there is one."""
    cluster, metadata = situation.cluster, situation.training.metadata
    if cluster is None:
        return None
    service = cluster.head_service
    return ClusterStatus(
        name=cluster.name,
        ready_nodes=cluster.ready_workers,
        nodes=situation.training.spec.workers.nodes,
        dashboard_url=f"http://{service}.{metadata.namespace}.svc:8265" if service else None,
    )


def attempts_status(situation: Situation, finding: Finding, *, counting: bool) -> tuple[AttemptStatus, ...]:
    """Return the last attempts; the one that is about to be submitted is among them: counted first.

    A crash between counting and submitting must submit the same attempt, not another one.
    """
    number_now = situation.attempt if counting else situation.counted
    before = {it.number: it for it in situation.training.status.attempts}
    if number_now > 0 and situation.cluster is not None and number_now == situation.cluster.attempt:
        fresh = AttemptStatus(
            number=number_now,
            cluster=situation.cluster.name,
            generation=situation.training.metadata.generation,
            start_time=written(situation.now),
        )
        before.setdefault(number_now, fresh)
    newest = before.get(number_now)
    if newest is not None:
        before[number_now] = _continued(situation, finding, newest)
    return tuple(before[number] for number in sorted(before)[-MAX_ATTEMPTS:])


def _continued(situation: Situation, finding: Finding, attempt: AttemptStatus) -> AttemptStatus:
    progress = situation.progress
    reported = progress if progress is not None and progress.attempt == attempt.number else None
    ending = _ending(situation) if attempt.number == situation.counted else None
    return attempt.model_copy(
        update={
            "generation": _generation(situation, attempt),
            **_steps(reported, ended=ending is not None),
            **(
                {"end_time": attempt.end_time or written(situation.now), **ending}
                if ending is not None
                else {}
            ),
        }
    )


def _generation(situation: Situation, attempt: AttemptStatus) -> int:
    """Return the newest generation that an attempt is the right one for, as long as its cluster can tell.

    So an edit that leaves pods and run alone is no reason to try again after a later failure.
    """
    cluster, training = situation.cluster, situation.training
    if cluster is None or cluster.attempt != attempt.number or cluster.shape != shape_of(training):
        return attempt.generation
    return training.metadata.generation


def _steps(progress: Progress | None, *, ended: bool) -> dict[str, int]:
    """Return where an attempt began and, once it has ended, how far it came (before, `progress` says it)."""
    if progress is None:
        return {}
    to_step = {"to_step": max(0, progress.step)} if ended else {}
    return {"from_step": max(0, progress.from_step), **to_step}


def _ending(situation: Situation) -> dict[str, str] | None:
    if situation.trained is not None:
        return {"reason": Reason.SUCCEEDED.value, "message": "reached its last step"}
    failure = attempt_failure(situation)
    remembered = situation.counted_status
    if remembered is not None and remembered.reason and situation.train_record is None:
        return {}  # Its pods are gone by now: what was seen of them then is all that is left.
    if is_replaced(situation):
        return {"reason": Reason.CLUSTER_RELEASED.value, "message": "replaced after an edit of the spec"}
    if failure is not None:
        return {"reason": failure.reason.value, "message": failure.message[:_SHORT]}
    return None


def is_counting(situation: Situation, finding: Finding) -> bool:
    """Return whether this look is about to submit an attempt that was not counted yet."""
    return finding.stage is Stage.STARTING and situation.cluster is not None and not situation.submitted
