"""`status.attempts`: an attempt is counted before it is submitted, and its end told before its GPUs go back.

What stands there about an end is what is believed from then on.
"""

from dataclasses import dataclass
from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.status import MAX_ATTEMPTS, AttemptStatus
from rrm_operator.assess.consequences import Restart, consequence
from rrm_operator.assess.endings import attempt_ending, early_ending
from rrm_operator.assess.failures import Failure
from rrm_operator.assess.moments import written
from rrm_operator.assess.progress import checkpoints_status
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.standing import Standing
from rrm_operator.assess.stopping import stop_order
from rrm_operator.assess.wanted import next_attempt
from rrm_operator.facts import RayClusterFact

_SHORT: Final = 2048


@dataclass(frozen=True)
class Begun:
    """An attempt that this look counts: it is about to be submitted, or ended before it could be."""

    number: int
    cluster: RayClusterFact
    ending: Failure | None


def begun(situation: Situation, standing: Standing) -> Begun | None:
    """Return the attempt that this look is the first to count, if there is one."""
    cluster, early = situation.cluster, early_ending(situation)
    if cluster is None or situation.trained is not None:
        return None
    if early is not None and not situation.training.spec.suspend:
        return Begun(max(cluster.attempt, situation.counted + 1), cluster, early)
    number = next_attempt(situation)
    if standing.stage is not Stage.STARTING or number is None:
        return None
    return Begun(number, cluster, None)


def attempts_status(situation: Situation, new: Begun | None) -> tuple[AttemptStatus, ...]:
    """Return the last attempts, with what is known of the newest one now."""
    kept = {it.number: it for it in situation.training.status.attempts}
    if situation.counted > 0 and situation.counted not in kept and not situation.has_next_cluster:
        # Status was lost: what hosts the newest attempt, or what that has said, still tells of it.
        kept[situation.counted] = _fresh(situation, situation.counted, situation.cluster, restarts=0)
    newest = kept.get(situation.counted)
    if newest is not None:
        kept[newest.number] = _continued(situation, newest)
    if new is not None:
        kept[new.number] = _counted(situation, new)
    return tuple(kept[number] for number in sorted(kept)[-MAX_ATTEMPTS:])


def _counted(situation: Situation, new: Begun) -> AttemptStatus:
    follows = consequence(situation)
    restarts = follows.restarts if isinstance(follows, Restart) else 0
    attempt = _fresh(situation, new.number, new.cluster, restarts=restarts)
    return attempt if new.ending is None else attempt.model_copy(update=_ended(situation, new.ending))


def _fresh(
    situation: Situation, number: int, cluster: RayClusterFact | None, *, restarts: int
) -> AttemptStatus:
    return AttemptStatus(
        number=number,
        cluster=cluster.name if cluster is not None else "unknown",
        generation=situation.training.metadata.generation,
        start_time=written(situation.now),
        shape=(cluster.shape or None) if cluster is not None else None,
        restarts=restarts,
    )


def _continued(situation: Situation, attempt: AttemptStatus) -> AttemptStatus:
    progress = situation.progress if situation.progressed else None
    update: dict[str, object] = {}
    if progress is not None:
        update["from_step"] = max(0, progress.from_step)
    if situation.trained is not None:
        done = _ended(situation, Failure(Reason.SUCCEEDED, "reached its last step"))
        ended = {"end_time": attempt.end_time or written(situation.now)}
        return attempt.model_copy(update={**update, **done, **ended})
    if situation.is_over:
        return attempt.model_copy(update={**update, "forgiven": attempt.forgiven or situation.retried})
    order, ending = stop_order(situation), attempt_ending(situation)
    if order is not None and (ending is None or ending.reason is order.reason):
        update |= {"stop_time": written(order.since), "stop_reason": order.reason.value}
    if ending is not None:
        # One that a person tries again when its end is first seen is forgiven at once: it is told only once.
        update |= {**_ended(situation, ending), "forgiven": situation.retried}
    return attempt.model_copy(update=update)


def _ended(situation: Situation, ending: Failure) -> dict[str, object]:
    progress, saved = situation.progress, checkpoints_status(situation)
    to_step = {"to_step": max(0, progress.step)} if progress is not None and situation.progressed else {}
    return {
        **to_step,
        "end_time": written(situation.now),
        "reason": ending.reason.value,
        "message": ending.message[:_SHORT],
        "saved_step": saved.latest_step if saved is not None else None,
    }
