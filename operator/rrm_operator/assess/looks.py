"""When to look at a training again though nothing tells: the nearest of all clocks that run."""

from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_operator.assess.consequences import Restart, consequence
from rrm_operator.assess.deadlines import active_due, finished_due, progress_due, startup_due
from rrm_operator.assess.failures import RECORD_GRACE_SECONDS
from rrm_operator.assess.pod_troubles import until_stuck, until_volumes_are_missed
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.assess.stage_jobs import job_due, prepare_failure, until_pod_is_missed
from rrm_operator.assess.standing import Standing
from rrm_operator.assess.stopping import stop_order
from rrm_operator.facts import PodRole

FRESH_SECONDS: Final = 60.0
"""A progress report younger than this says enough: Ray is not asked."""
_QUIET_SECONDS: Final = 120.0
"""A trainer that has not reported for so long is in a long step: Ray is asked half as often."""
_SAFETY_SECONDS: Final = 60.0
MISSING_CLAIM_SECONDS: Final = 30.0
"""How often a claim is looked for that the spec names and that cannot be used: nobody tells of it."""
_WATCH_SECONDS: Final = 5.0
"""How long a watch has to tell what was read anew: what was there and went again is never told."""
_LEAST_SECONDS: Final = 1.0
"""A clock that is past its time and changed nothing must not be a loop without a pause."""
_ENDED: Final = frozenset({Stage.SUCCEEDED, Stage.FAILED})


def next_look_seconds(situation: Situation, standing: Standing) -> float | None:
    """Return when something may be due that no event will tell of."""
    waits = [*_own(situation, standing), *([_WATCH_SECONDS] if situation.snapshot.is_ahead else [])]
    if standing.stage in _ENDED:
        due = finished_due(situation)
        waits += [due - situation.now] if due is not None and situation.snapshot.jobs else []
    elif standing.stage is not Stage.SUSPENDED:
        due = active_due(situation)
        waits += [due - situation.now] if due is not None else []
    return max(_LEAST_SECONDS, min(waits)) if waits else None


def _own(situation: Situation, standing: Standing) -> list[float]:
    """Return the seconds until the clocks of a stage strike."""
    now = situation.now
    match standing.stage:
        case Stage.STARTING | Stage.TRAINING:
            due = progress_due(situation)
            return [_until_ray_is_asked(situation), *([due - now] if due is not None else [])]
        case Stage.STOPPING:
            return _until_stopped(situation)
        case Stage.PROVISIONING:
            return _until_startup(situation)
        case Stage.BACKING_OFF:
            return _until_next_attempt(situation)
        case Stage.PREPARING | Stage.EXPORTING:
            return _until_job_is_judged(situation, standing)
        case Stage.RELEASING | Stage.PENDING:
            return [_SAFETY_SECONDS]
        case Stage.STALLED if _waits_for_claim(situation, standing):
            return [MISSING_CLAIM_SECONDS]
        case _:
            return []


def _waits_for_claim(situation: Situation, standing: Standing) -> bool:
    """Return whether the claim that the spec names must be made, or made anew, under the same name."""
    is_named = situation.training.spec.checkpoints.volume.claim_name is not None
    is_told = standing.reason is Reason.VOLUME_UNAVAILABLE and prepare_failure(situation) is None
    return is_named and is_told


def _until_next_attempt(situation: Situation) -> list[float]:
    follows = consequence(situation)
    return [follows.at - situation.now] if isinstance(follows, Restart) else []


def _until_stopped(situation: Situation) -> list[float]:
    order = stop_order(situation)
    moments = [order.kill_at, order.over_at] if order is not None else []
    return [situation.ray_poll_seconds, *(it - situation.now for it in moments if it > situation.now)]


def _until_startup(situation: Situation) -> list[float]:
    cluster = situation.cluster
    if cluster is None:
        return []
    due = startup_due(situation, cluster)
    waits = [due - situation.now] if due is not None and due > situation.now else []
    return waits + until_volumes_are_missed(situation, situation.pods(*RAY_ROLES, owner=cluster.name))


def _until_job_is_judged(situation: Situation, standing: Standing) -> list[float]:
    job = situation.prepare_job if standing.stage is Stage.PREPARING else situation.export_job
    if job is not None and job.finished_time:
        return [RECORD_GRACE_SECONDS / 2]
    wait, due = until_pod_is_missed(situation, job), job_due(situation, job)
    waits = [wait if wait is not None else 0.0, due - situation.now if due is not None else 0.0]
    pods = situation.pods(PodRole.PREPARE if standing.stage is Stage.PREPARING else PodRole.EXPORT)
    waits += until_volumes_are_missed(situation, pods) + until_stuck(situation, pods)
    return [it for it in waits if it > 0]


def ray_question_seconds(situation: Situation) -> float:
    """Return how long after a question Ray is asked the next one.

    What ends by itself says so in a record, and a lost pod is seen: Ray is only the witness of the rest.
    """
    if situation.head_is_suspect or _silence(situation) < _QUIET_SECONDS:
        return situation.ray_poll_seconds
    return 2 * situation.ray_poll_seconds


def _until_ray_is_asked(situation: Situation) -> float:
    again = ray_question_seconds(situation)
    if situation.head_is_suspect or situation.seen_at is None:
        return again
    return max(again, FRESH_SECONDS - _silence(situation))


def _silence(situation: Situation) -> float:
    return situation.now - situation.seen_at if situation.seen_at is not None else 0.0
