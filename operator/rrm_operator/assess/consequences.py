"""What follows when the newest attempt is over: another one, when, and with what budget; or none."""

from dataclasses import dataclass
from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.run import digest_of
from rrm_api.status import AttemptStatus
from rrm_operator.assess.classes import FailureClass, class_of
from rrm_operator.assess.deadlines import is_overdue
from rrm_operator.assess.endings import attempt_ending
from rrm_operator.assess.failures import Failure, retry_hint
from rrm_operator.assess.moments import seconds_of
from rrm_operator.assess.progress import checkpoints_status
from rrm_operator.assess.situation import Situation

LONGEST_BACKOFF_SECONDS: Final = 600.0
_ABOUT_THE_SAME: Final = 2
"""Steps between two ends for want of memory that count as one place."""
_CLOCK_SECONDS: Final = 20.0
"""How far clocks may be apart without a word about it."""
_FINAL: Final = frozenset({FailureClass.USER, FailureClass.CAPACITY})
_COUNTED: Final = frozenset({FailureClass.INFRASTRUCTURE, FailureClass.MEMORY, FailureClass.STALL})


@dataclass(frozen=True)
class Restart:
    """Another attempt follows."""

    at: float
    """When, seconds since the epoch; 0 = now."""
    restarts: int
    """Attempts in a row that ended badly without a new checkpoint."""


@dataclass(frozen=True)
class GiveUp:
    """Nothing follows until a person acts."""

    stage: Stage
    """`Failed`, or `Stalled` where nothing is wrong with the training itself."""
    failure: Failure


def consequence(situation: Situation) -> Restart | GiveUp | None:
    """Return what follows the end of the newest attempt; None if it runs, or none was made yet."""
    ending = attempt_ending(situation)
    if ending is None:
        return None
    kind, attempt = class_of(ending.reason), situation.counted_status
    is_forgiven = situation.retried or (attempt is not None and attempt.forgiven)
    if situation.edited_since or is_forgiven:
        return Restart(0.0, 0)
    if kind in _FINAL:
        stage = Stage.STALLED if kind is FailureClass.CAPACITY else Stage.FAILED
        return GiveUp(stage, _explained(situation, ending))
    if kind is FailureClass.DEADLINE and is_overdue(situation):
        return GiveUp(Stage.FAILED, ending)
    if kind is FailureClass.MEMORY and _ran_out_before(situation, attempt):
        return GiveUp(Stage.FAILED, _explained(situation, ending))
    before = attempt.restarts if attempt is not None else 0
    if kind not in _COUNTED:
        return Restart(0.0, 0 if has_saved(situation) else before)
    restarts, limit = 0 if has_saved(situation) else before + 1, _limit(situation)
    if restarts > limit or limit == 0:
        return GiveUp(Stage.FAILED, _exhausted(situation, ending, restarts))
    return Restart(_ended_at(situation, attempt) + _delay(situation, restarts), restarts)


def has_saved(situation: Situation) -> bool:
    """Return whether the newest attempt saved a checkpoint that none before it had."""
    attempts = situation.training.status.attempts
    found = checkpoints_status(situation)
    remembered = situation.counted_status
    told = (remembered.saved_step or 0) if remembered is not None and situation.is_over else 0
    # A pod that is deleted saves last of all: its record may come after its loss was written down.
    saved = max(told, (found.latest_step if found is not None else None) or 0)
    earlier = [it.saved_step or 0 for it in attempts if it.number < situation.counted]
    began = remembered.from_step or 0 if remembered is not None else 0
    return saved > max([*earlier, began], default=0)


def backoff_seconds(base: int, restarts: int, *, jitter: float) -> float:
    """Return how long to wait before a restart, in seconds.

    Args:
        base: `spec.policy.restartBackoffSeconds`.
        restarts: Attempts in a row that saved nothing new; 0 and 1 wait equally long.
        jitter: In [0, 1): spreads trainings that failed together over the upper half of the wait.

    >>> [backoff_seconds(10, restarts, jitter=0.0) for restarts in (1, 4, 99)]
    [5.0, 40.0, 300.0]
    """
    doubled = base * 2.0 ** min(max(restarts, 1) - 1, 32)
    return min(doubled, LONGEST_BACKOFF_SECONDS) * (0.5 + jitter / 2)


def _delay(situation: Situation, restarts: int) -> float:
    # From the training and its attempt, so that it is the same after a restart of the operator.
    seed = {"uid": situation.training.metadata.uid, "attempt": situation.counted}
    jitter = int(digest_of(seed)[:8], 16) / 0x1_0000_0000
    base = situation.training.spec.policy.restart_backoff_seconds
    return backoff_seconds(base, restarts, jitter=jitter)


def _ended_at(situation: Situation, attempt: AttemptStatus | None) -> float:
    ended = seconds_of(attempt.end_time) if attempt is not None else None
    if ended is None:
        return situation.now
    # A clock that was ahead when it ended must not put the next attempt off until then.
    return ended if ended <= situation.now + _CLOCK_SECONDS else 0.0


def _limit(situation: Situation) -> int:
    return situation.training.spec.policy.max_restarts


def _ran_out_before(situation: Situation, attempt: AttemptStatus | None) -> bool:
    """Return whether the attempt before this one ran out of memory at about the same step."""
    attempts = situation.training.status.attempts
    earlier = next((it for it in attempts if it.number == situation.counted - 1), None)
    if earlier is None or earlier.reason != Reason.OUT_OF_MEMORY:
        return False
    to_step = attempt.to_step if attempt is not None and situation.is_over else None
    if to_step is None:
        to_step = situation.progress.step if situation.progress is not None and situation.progressed else 0
    return abs(to_step - (earlier.to_step or 0)) <= _ABOUT_THE_SAME


def _explained(situation: Situation, ending: Failure) -> Failure:
    knobs = {
        Reason.OUT_OF_MEMORY: "it ran out of memory twice at about the same step: raise limits.memory in "
        "spec.workers.resources or spec.head.resources, or lower spec.training.microBatchSizePerGPU or "
        "spec.data.maxResponseTokens",
        Reason.UNSCHEDULABLE: "the GPUs were given back: make room, or raise "
        f"spec.policy.startupDeadlineSeconds; then {retry_hint(situation)}",
        Reason.IMAGE_UNAVAILABLE: f"correct spec.image or spec.imagePullSecrets, or {retry_hint(situation)}",
        Reason.VOLUME_UNAVAILABLE: "the GPUs were given back: correct the volume, then "
        f"{retry_hint(situation)}",
        Reason.TRAINING_FAILED: f"correct the spec, or {retry_hint(situation)}",
    }
    advice = knobs.get(ending.reason)
    if advice is None:
        return ending
    return Failure(ending.reason, f"{ending.message}; {advice}", ending.exit_code, ending.log_tail)


def _exhausted(situation: Situation, ending: Failure, restarts: int) -> Failure:
    limit = _limit(situation)
    message = (
        f"attempt {situation.counted} ended ({ending.reason}: {ending.message}); "
        + (
            f"{restarts} in a row saved nothing new, {limit} restarts are allowed (spec.policy.maxRestarts)"
            if limit
            else "spec.policy.maxRestarts is 0"
        )
        + f"; correct the cause, then {retry_hint(situation)}"
    )
    return Failure(Reason.RESTARTS_EXHAUSTED, message, ending.exit_code, ending.log_tail)
