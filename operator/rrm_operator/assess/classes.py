"""What kind of thing ended an attempt, and so what follows: one table from reasons to classes."""

from enum import StrEnum
from typing import Final

from rrm_api.conditions import Reason


class FailureClass(StrEnum):
    """What follows when an attempt has ended, in one word."""

    USER = "user"
    """Trying again would end the same way: a person must change something."""
    CAPACITY = "capacity"
    """There was no room, no image or no volume for it: the GPUs are given back, and a person is told."""
    INFRASTRUCTURE = "infrastructure"
    """Something broke: another attempt, counted against `policy.maxRestarts`."""
    MEMORY = "memory"
    """Another attempt, unless the one before ran out of memory at about the same step."""
    STALL = "stall"
    """It hung: another attempt, counted."""
    YIELDED = "yielded"
    """It gave way and nothing is wrong: preempted, drained, suspended, replaced. Not counted."""
    DEADLINE = "deadline"
    """Its time is over."""


_CLASSES: Final[dict[Reason, FailureClass]] = {
    Reason.UNSCHEDULABLE: FailureClass.CAPACITY,
    Reason.IMAGE_UNAVAILABLE: FailureClass.CAPACITY,
    Reason.VOLUME_UNAVAILABLE: FailureClass.CAPACITY,
    Reason.CLUSTER_LOST: FailureClass.INFRASTRUCTURE,
    Reason.TRAINER_CRASHED: FailureClass.INFRASTRUCTURE,
    Reason.OUT_OF_MEMORY: FailureClass.MEMORY,
    Reason.NO_PROGRESS: FailureClass.STALL,
    Reason.PREEMPTED: FailureClass.YIELDED,
    Reason.DRAINED: FailureClass.YIELDED,
    Reason.SUSPENDED: FailureClass.YIELDED,
    Reason.REPLACED: FailureClass.YIELDED,
    Reason.DEADLINE_EXCEEDED: FailureClass.DEADLINE,
}


def class_of(reason: Reason) -> FailureClass:
    """Return the class of a reason that an attempt ended for; what is not in the table is the user's.

    >>> class_of(Reason.CLUSTER_LOST), class_of(Reason.DATA_INVALID)
    (<FailureClass.INFRASTRUCTURE: 'infrastructure'>, <FailureClass.USER: 'user'>)
    """
    return _CLASSES.get(reason, FailureClass.USER)


_MEMORY_WORDS: Final = (
    "CUDA out of memory",
    "torch.OutOfMemoryError",
    "OutOfMemoryError",
    "OOMKilled",
    "ray.exceptions.OutOfMemoryError",
    "running low on memory",
    "Cannot allocate memory",
)
_MISTAKES: Final = ("AssertionError", "ValueError", "TypeError", "KeyError", "NotImplementedError")
"""What verl raises about a configuration it does not like."""


def crash_reason(words: str, *, stepped: bool) -> Reason:
    """Return why a process crashed, from its last words.

    Args:
        words: Its message and last log lines.
        stepped: Whether it had made a step: from then on its configuration was good.

    >>> crash_reason("RuntimeError: CUDA out of memory.", stepped=True)
    <Reason.OUT_OF_MEMORY: 'OutOfMemory'>
    >>> crash_reason("AssertionError: batch size", stepped=False)
    <Reason.TRAINING_FAILED: 'TrainingFailed'>
    >>> crash_reason("NCCL watchdog timeout", stepped=True)
    <Reason.TRAINER_CRASHED: 'TrainerCrashed'>
    """
    if any(word in words for word in _MEMORY_WORDS):
        return Reason.OUT_OF_MEMORY
    if not stepped and _last_error(words) in _MISTAKES:
        return Reason.TRAINING_FAILED
    return Reason.TRAINER_CRASHED


def _last_error(words: str) -> str:
    """Return the class of the exception that the last line with one names, empty if none does."""
    for line in reversed(words.splitlines()):
        name, colon, _ = line.strip().partition(":")
        if colon and name.endswith("Error") and name.replace(".", "").isidentifier():
            return name.rpartition(".")[2]
    return ""
