"""Progress, checkpoints and RayCluster as they stand in status, from what the trainer reported last."""

from rrm_api.status import CheckpointsStatus, ClusterStatus, ProgressStatus
from rrm_operator.assess.moments import rewritten, written
from rrm_operator.assess.situation import Situation


def progress_status(situation: Situation) -> ProgressStatus | None:
    """Return how far the newest attempt is."""
    progress = situation.progress
    if progress is None or progress.attempt != situation.attempt:
        return None
    # The last step may have been reported in the record alone.
    step = max(0, progress.step, situation.trained.step if situation.trained is not None else 0)
    return ProgressStatus(
        step=step,
        total_steps=max(0, progress.total_steps),
        percent=percent(step, progress.total_steps),
        eta_seconds=max(0, progress.eta_seconds) if progress.eta_seconds is not None else None,
        reward=number(progress.reward),
        validation=progress.validation,
        lift=number(progress.lift),
        parse_rate=number(progress.parse_rate),
        seconds_per_step=number(progress.seconds_per_step),
        last_progress_time=rewritten(progress.time),
        last_seen_time=written(situation.seen_at) if situation.seen_at is not None else None,
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
    if abs(value) >= 1e15:
        return f"{value:.6g}"
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
