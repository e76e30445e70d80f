"""When a trainer last gave a sign of life, by this operator's clock alone."""

from dataclasses import dataclass

from rrm_api.run import Progress
from rrm_api.status import TrainingStatus
from rrm_operator.assess.moments import rewritten, seconds_of


@dataclass(frozen=True)
class SignOfLife:
    """The trainer's last report, and when this operator saw it."""

    report: Progress
    seen_at: float
    """Seconds since the epoch, by the operator's clock."""


def sign_of_life(
    report: Progress | None, known: SignOfLife | None, status: TrainingStatus, *, now: float
) -> SignOfLife | None:
    """Return the last sign of life of a trainer; None if it has given none.

    The trainer writes the time into its reports, but it is no witness: its node's clock may be wrong by
    hours. So that time only tells one report from another, and a report counts from the moment at which the
    operator saw that it is another one than before, as in the leader election of Kubernetes. That moment
    stands in `status.progress.lastSeenTime`: an operator that starts, or takes over, goes on counting from
    there. A report that came while no operator looked counts from the first look, so a hang that began then
    is found at most one deadline late. A moment that is still to come counts as now: the operator's own
    clock was set back.

    Args:
        report: What the trainer said last.
        known: What this process saw before; None if it has just started.
        status: What was written down last, by this process or the one before it.
        now: Seconds since the epoch.
    """
    if report is None:
        return None
    if known is not None and known.report == report:
        seen_at = known.seen_at
    elif known is None and _is_written_down(report, status):
        seen_at = seconds_of(status.progress.last_seen_time if status.progress is not None else None) or now
    else:
        seen_at = now
    return SignOfLife(report, min(seen_at, now))


def _is_written_down(report: Progress, status: TrainingStatus) -> bool:
    """Return whether it is this report that the status tells of."""
    told = status.progress
    if told is None or status.attempt != report.attempt:
        return False
    return (told.step, told.last_progress_time) == (report.step, rewritten(report.time))
