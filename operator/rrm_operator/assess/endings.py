"""How the newest attempt ended: what is written down about it, else its own words, else what is seen.

written in status.attempts  --yes-->  that: nothing brings it back (but a record that all is trained)
record of the trainer       --yes-->  its reason, message, exit code, last log lines (Kueue comes first)
asked to stop, and time over          the reason of the order
edited beyond use                     Replaced
Kueue suspends its RayCluster         Preempted
head drained                          Drained where there is nothing to save; else it has its grace for that
head gone, leaving, ended; RayCluster gone; Ray forgot the job; both silent   ClusterLost
Ray says the job ended, and 10 s later there is no record                     by its words
"""

from dataclasses import replace
from typing import Final

from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Record, Result
from rrm_api.status import AttemptStatus
from rrm_operator.assess.classes import crash_reason
from rrm_operator.assess.deadlines import startup_due
from rrm_operator.assess.failures import (
    KEPT_REASONS,
    LOST_AFTER_SECONDS,
    RECORD_GRACE_SECONDS,
    Failure,
    unreadable_answers,
)
from rrm_operator.assess.heads import cluster_loss, gone_head, has_new_head, is_saving
from rrm_operator.assess.moments import written
from rrm_operator.assess.pod_troubles import (
    capacity_trouble,
    invalid_image,
    killed_for_memory,
    pod_trouble,
)
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.assess.stopping import StopOrder, stop_order
from rrm_operator.facts import PodFact, RayClusterFact, RayJobFact, RayJobState

_ENDED: Final = frozenset({RayJobState.FAILED, RayJobState.STOPPED, RayJobState.SUCCEEDED})
_USER_CODES: Final = frozenset(
    {ExitCode.DATA, ExitCode.CONFIGURATION, ExitCode.MODEL, ExitCode.PLUGIN, ExitCode.UNHEALTHY}
)


def attempt_ending(situation: Situation) -> Failure | None:
    """Return why the newest attempt is over; None while it runs, and if it reached its last step."""
    if situation.counted == 0 or situation.trained is not None:
        return None
    remembered = situation.counted_status
    if situation.is_over and remembered is not None:
        return _remembered(situation, remembered)
    if situation.has_next_cluster:
        return None  # Status was lost, and the next attempt has begun.
    seen, order = _seen_ending(situation), stop_order(situation)
    if order is None or (seen is not None and _has_precedence(situation, seen, order)):
        return seen
    return _stopped(situation, order, seen)


def _has_precedence(situation: Situation, seen: Failure, order: StopOrder) -> bool:
    """Return whether an end that is seen stands, though the attempt shall stop.

    What has ended by itself does not hang: its deadline may have passed while no operator was looking.
    """
    attempt = situation.counted_status
    was_asked = attempt is not None and attempt.stop_time is not None
    return seen.reason is Reason.REPLACED or (order.reason is Reason.NO_PROGRESS and not was_asked)


def early_ending(situation: Situation) -> Failure | None:
    """Return how a RayCluster ended that nothing was submitted to: its head lost, or not whole in time.

    It counts as an attempt: what cannot start must not try for ever.
    """
    cluster, remembered = situation.cluster, situation.counted_status
    waits_again = situation.is_over and remembered is not None and remembered.reason == Reason.PREEMPTED
    if cluster is None or (situation.submitted and not waits_again):
        return None
    # KubeRay makes a head anew only until all pods were ready once: then the workers wait for none.
    gone = gone_head(situation, cluster) if cluster.provisioned and not cluster.suspended else None
    due = startup_due(situation, cluster)
    return (
        gone
        or _without_image(situation, cluster)
        or (_too_late(situation, cluster) if due is not None and situation.now >= due else None)
    )


def _without_image(situation: Situation, cluster: RayClusterFact) -> Failure | None:
    """Return what no waiting can make right: pods that have a node hold its GPUs, image or not."""
    words = invalid_image(situation.pods(*RAY_ROLES, owner=cluster.name))
    return None if words is None else Failure(Reason.IMAGE_UNAVAILABLE, words)


def _too_late(situation: Situation, cluster: RayClusterFact) -> Failure | None:
    pods = situation.pods(*RAY_ROLES, owner=cluster.name)
    if cluster.head_ready and cluster.ready_workers >= situation.training.spec.workers.nodes:
        return None
    limit = situation.training.spec.policy.startup_deadline_seconds
    said = capacity_trouble(situation, pods) or (cluster.replica_failure and Reason.UNSCHEDULABLE)
    words = pod_trouble(situation, pods) or cluster.replica_failure or _unready(pods)
    message = f"{cluster.name} was not whole within {limit} s (spec.policy.startupDeadlineSeconds): {words}"
    return Failure(said or Reason.NO_PROGRESS, message)


def _unready(pods: tuple[PodFact, ...]) -> str:
    waiting = [pod.name for pod in pods if not pod.ready]
    return f"not ready: {', '.join(waiting[:3])}" if waiting else "it has no pods"


def _remembered(situation: Situation, attempt: AttemptStatus) -> Failure:
    reason = Reason(attempt.reason) if attempt.reason in set(Reason) else Reason.TRAINER_CRASHED
    record, known = situation.train_record, situation.training.status.failure
    if record is not None:
        return Failure(reason, attempt.message or "", record.exit_code, record.log_tail)
    if known is None:
        return Failure(reason, attempt.message or "")
    return Failure(reason, attempt.message or "", known.exit_code, known.log_tail or "")


def _stopped(situation: Situation, order: StopOrder, seen: Failure | None) -> Failure | None:
    """Return how an attempt ended that was asked to stop; None while it still may save."""
    if seen is None and situation.now < order.over_at and _can_be_waited_for(order):
        return None
    record = situation.train_record
    how = ""
    if record is not None and record.result is Result.STOPPED:
        how = f": {record.message}"
    elif order.saves:
        how = f": nothing was saved ({seen.message})" if seen is not None else ": it did not save in time"
    elif seen is not None and record is not None:
        how = f": {record.message}"
    failure = Failure(order.reason, order.message + how)
    if record is None:
        return failure
    return replace(failure, exit_code=record.exit_code, log_tail=record.log_tail)


def _can_be_waited_for(order: StopOrder) -> bool:
    """Return whether there is anything to wait for: a suspension before the first step saves nothing."""
    return order.saves or order.reason is Reason.NO_PROGRESS


def _seen_ending(situation: Situation) -> Failure | None:
    record, cluster = situation.train_record, situation.cluster
    if record is not None and not _gave_way(record, cluster):
        return _from_record(situation, record)
    if cluster is None:
        return _vanished(situation) if situation.snapshot.kuberay_installed else None
    if not situation.keeps_cluster:
        return Failure(Reason.REPLACED, "replaced after an edit of the spec")
    if cluster.suspended:
        return Failure(Reason.PREEMPTED, f"{cluster.name} was suspended to give its quota to others")
    if is_saving(situation, cluster):
        return _ended_without_record(situation)
    return gone_head(situation, cluster) or _ended_without_record(situation) or _silent(situation, cluster)


def _gave_way(record: Record, cluster: RayClusterFact | None) -> bool:
    """Return whether Kueue took the pods of a trainer that then saved and left, or died with them."""
    if cluster is None or not cluster.suspended or record.result is Result.DONE:
        return False
    return record.exit_code not in _USER_CODES and record.reason not in KEPT_REASONS


def _from_record(situation: Situation, record: Record) -> Failure:
    words = f"{record.message}\n{record.log_tail}"
    if record.result is Result.STOPPED:
        return Failure(Reason.DRAINED, f"left its pods: {record.message}", record.exit_code)
    if record.result is Result.FAILED:
        if record.exit_code in _USER_CODES or record.reason in KEPT_REASONS:
            reason = record.reason if record.reason in KEPT_REASONS else Reason.TRAINING_FAILED
        else:
            reason = _crash_reason(situation, words)
        return _about_memory(situation, Failure(reason, record.message, record.exit_code, record.log_tail))
    trained = record.trained
    saved = trained.checkpoints.latest_step if trained is not None else None
    planned = trained.total_steps if trained is not None else "unknown"
    message = (
        f"attempt {situation.counted} ended with 0, but its last whole checkpoint is of step {saved}, "
        f"not of step {planned}"
    )
    return Failure(Reason.TRAINER_CRASHED, message, record.exit_code, record.log_tail)


def _crash_reason(situation: Situation, words: str) -> Reason:
    if killed_for_memory(_ray_pods(situation)):
        return Reason.OUT_OF_MEMORY
    saved = situation.training.status.checkpoints
    proven = situation.stepped or (saved is not None and bool(saved.latest_step))
    return crash_reason(words, stepped=proven)


def _about_memory(situation: Situation, failure: Failure) -> Failure:
    """Return the failure of an attempt with the pod that reached its limit, where memory ended it."""
    killed = killed_for_memory(_ray_pods(situation))
    if failure.reason is not Reason.OUT_OF_MEMORY or not killed:
        return failure
    return replace(failure, message=f"{failure.message}; {killed}")


def _ray_pods(situation: Situation) -> tuple[PodFact, ...]:
    cluster = situation.cluster
    return () if cluster is None else situation.pods(*RAY_ROLES, owner=cluster.name)


def _vanished(situation: Situation) -> Failure:
    remembered = situation.counted_status
    name = remembered.cluster if remembered is not None else "its RayCluster"
    return Failure(Reason.CLUSTER_LOST, f"{name} vanished while attempt {situation.counted} was running")


def _ended_without_record(situation: Situation) -> Failure | None:
    job = situation.snapshot.ray_job
    if job is None:
        return None
    if job.state is RayJobState.ABSENT and (situation.progressed or has_new_head(situation)):
        # The head's container was restarted: with it Ray's memory, and the parent that writes records, went.
        return cluster_loss(f"Ray no longer knows the job {job.submission_id}", None)
    if situation.now - job.seen_at < RECORD_GRACE_SECONDS or job.state not in _ENDED:
        return None
    said = "".join(f"; {words}" for words in (job.message, *unreadable_answers(situation)) if words)
    message = f"Ray says {job.state}, without a record of the trainer{said}"
    return _about_memory(situation, Failure(_crash_reason(situation, message), message, job.exit_code))


def _silent(situation: Situation, cluster: RayClusterFact) -> Failure | None:
    job = situation.snapshot.ray_job
    if job is None or not _is_silent(job, situation.now):
        return None
    is_new = has_new_head(situation)
    if cluster.head_ready and not is_new:
        return None
    witness = "its head has restarted" if is_new else f"the head is not ready ({cluster.head_reason})"
    since = written(job.unreachable_since or 0)
    return cluster_loss(f"Ray has not answered since {since} and {witness}", None)


def _is_silent(job: RayJobFact, now: float) -> bool:
    return job.unreachable_since is not None and now - job.unreachable_since >= LOST_AFTER_SECONDS
