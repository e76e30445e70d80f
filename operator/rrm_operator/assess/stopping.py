"""Why a running attempt shall stop, and how far that has come.

asked (annotation on the progress ConfigMap) --saves, leaves--> record
      | `saveGraceSeconds` later, or at once where nothing can be saved
Ray is told to stop the job --the parent writes its record--> over
      | 20 s later
over, whatever it says
"""

from dataclasses import dataclass

from rrm_api.conditions import Reason
from rrm_operator.assess.deadlines import SAVING_LIMIT_SECONDS, is_overdue, progress_due
from rrm_operator.assess.moments import seconds_of, written
from rrm_operator.assess.situation import Situation


@dataclass(frozen=True)
class StopOrder:
    """That the newest attempt shall stop."""

    reason: Reason
    message: str
    saves: bool
    """Whether it is given the time to save; one that hangs or has not begun has nothing to save."""
    since: float
    """When it was asked, seconds since the epoch."""
    grace_seconds: float

    @property
    def kill_at(self) -> float:
        """When Ray is told to stop the job."""
        return self.since + (self.grace_seconds if self.saves else 0.0)

    @property
    def over_at(self) -> float:
        """When it counts as stopped, whatever it says."""
        return self.kill_at + SAVING_LIMIT_SECONDS


def stop_order(situation: Situation) -> StopOrder | None:
    """Return why the newest attempt shall stop, asked before or now; None if it may go on.

    What was asked for is carried through: an attempt that has begun to leave cannot be called back.
    """
    if not situation.submitted or situation.is_over:
        return None
    attempt = situation.counted_status
    asked = seconds_of(attempt.stop_time) if attempt is not None else None
    if attempt is not None and asked is not None and attempt.stop_reason in set(Reason):
        # A clock that was ahead when it was asked must not hold the GPUs until then.
        asked = asked if asked <= situation.now + SAVING_LIMIT_SECONDS else 0.0
        return _order(situation, Reason(attempt.stop_reason), since=asked)
    reason = _reason_now(situation)
    return None if reason is None else _order(situation, reason, since=situation.now)


def _reason_now(situation: Situation) -> Reason | None:
    if situation.training.spec.suspend:
        return Reason.SUSPENDED
    if is_overdue(situation):
        return Reason.DEADLINE_EXCEEDED
    due = progress_due(situation)
    return Reason.NO_PROGRESS if due is not None and situation.now >= due else None


def _order(situation: Situation, reason: Reason, *, since: float) -> StopOrder:
    grace = situation.training.spec.checkpoints.save_grace_seconds
    saves = reason is not Reason.NO_PROGRESS and situation.stepped and grace > 0
    return StopOrder(reason, _words(situation, reason), saves, since, float(grace))


def _words(situation: Situation, reason: Reason) -> str:
    policy = situation.training.spec.policy
    match reason:
        case Reason.SUSPENDED:
            return "spec.suspend is true"
        case Reason.DEADLINE_EXCEEDED:
            return f"it was active for {policy.active_deadline_seconds} s (spec.policy.activeDeadlineSeconds)"
        case _ if situation.stepped and situation.sign_of_life is not None:
            said, seen = situation.sign_of_life.report, written(situation.sign_of_life.seen_at)
            return (
                f"no sign of progress since step {said.step} ({said.phase}) at {seen}, allowed are "
                f"{policy.stall_deadline_seconds} s (spec.policy.stallDeadlineSeconds); "
                f"{_pods_seen(situation)}"
            )
        case _:
            return (
                f"no first step within {policy.startup_deadline_seconds} s of asking for GPUs "
                f"(spec.policy.startupDeadlineSeconds); {_pods_seen(situation)}"
            )


def _pods_seen(situation: Situation) -> str:
    """Return what its pods looked like: the evidence of a hang."""
    cluster, job = situation.cluster, situation.snapshot.ray_job
    pods = [pod for pod in situation.snapshot.pods if cluster is not None and pod.owner == cluster.name]
    ready = sum(pod.ready for pod in pods)
    restarts = sum(pod.restarts for pod in pods)
    ray = f", Ray said {job.state} at {written(job.seen_at)}" if job is not None else ""
    return f"{ready} of its {len(pods)} Ray pods were ready, {restarts} container restarts{ray}"
