"""The clocks of `spec.policy`: when something has taken too long, in seconds since the epoch."""

from typing import Final

from rrm_operator.assess.moments import seconds_of, written
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import RayClusterFact

REACHED_SECONDS: Final = 120.0
"""How long after an outage of the API server a trainer that could not report is not taken for hanging."""
SAVING_LIMIT_SECONDS: Final = 20.0
"""How long a job that Ray was told to stop may take to write its record."""


def startup_due(situation: Situation, cluster: RayClusterFact) -> float | None:
    """Return when the next or newest attempt on a RayCluster must have made its first step.

    One deadline, also for its pods: from asking for GPUs, which is when the RayCluster was made or last
    admitted, or, where its pods are kept, when the attempt before ended. None while it waits for quota.
    """
    if cluster.suspended:
        return None
    began = [cluster.creation_time, cluster.resumed_time, *_ends_on(situation, cluster)]
    moments = [moment for moment in map(seconds_of, began) if moment is not None]
    return max(moments) + situation.training.spec.policy.startup_deadline_seconds if moments else None


def _ends_on(situation: Situation, cluster: RayClusterFact) -> list[str]:
    """Return when earlier attempts on a RayCluster ended."""
    attempts = situation.training.status.attempts
    ends = [it.end_time for it in attempts if it.cluster == cluster.name and it.end_time]
    if ends or cluster.attempt >= situation.counted:
        return ends
    # Status was lost: what is certain is when the newest attempt was seen first after that.
    newest = situation.counted_status
    return [newest.start_time if newest is not None else written(situation.now)]


def progress_due(situation: Situation) -> float | None:
    """Return when the newest attempt must have shown progress: its first step, or the next sign of it."""
    if situation.stepped:
        limit = situation.training.spec.policy.stall_deadline_seconds
        seen, heard = situation.seen_at, situation.cut_off_at + REACHED_SECONDS
        return None if seen is None else max(seen + limit, heard)
    attempt = situation.counted_status
    due = startup_due(situation, situation.cluster) if situation.cluster is not None else None
    began = seconds_of(attempt.start_time) if attempt is not None else None
    if due is None or began is None or began < due:
        return due
    # Whole in time, but nobody was there to submit: it is not the attempt that is late.
    return began + situation.training.spec.policy.startup_deadline_seconds


def active_due(situation: Situation) -> float | None:
    """Return when the whole training must be at its end; None without such a deadline, or while it rests."""
    limit, active = situation.training.spec.policy.active_deadline_seconds, situation.training.status.active
    if limit is None:
        return None
    if active is None or is_revived(situation):
        return situation.now + limit
    since = seconds_of(active.since)
    if since is not None:
        return since - active.seconds + limit
    return situation.now if active.seconds >= limit else None


def is_overdue(situation: Situation) -> bool:
    """Return whether the training has been active for longer than `policy.activeDeadlineSeconds`."""
    due = active_due(situation)
    return due is not None and situation.now >= due


def is_revived(situation: Situation) -> bool:
    """Return whether a person has just tried again what had failed: then its active time starts anew."""
    status, generation = situation.training.status, situation.training.metadata.generation
    # An edit before the end has not changed its mind: only one that the end was not judged by does.
    edited = situation.edited_since and status.observed_generation != generation
    return situation.has_ended and (situation.retried or edited)


def finished_due(situation: Situation) -> float | None:
    """Return when what is left of a finished training is cleaned up; None = never."""
    ttl = situation.training.spec.policy.ttl_seconds_after_finished
    ended = seconds_of(situation.training.status.completion_time)
    return None if ttl is None or ended is None else ended + ttl
