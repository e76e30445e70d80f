"""What a rehearsal shall do: how fast it goes, and what goes wrong at which step of which attempt.

As JSON in the variable `RRM_REHEARSAL` or, stronger, in `rehearsal.json` in the training's folder,
which is read before each step: so a test can also change its mind.
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from rrm.errors import RrmError
from rrm_api.conditions import Reason
from rrm_api.layout import Layout
from rrm_api.run import ExitCode

VARIABLE: Final = "RRM_REHEARSAL"
_REASONS: Final = {
    ExitCode.DATA: Reason.DATA_INVALID,
    ExitCode.CONFIGURATION: Reason.INVALID_SPEC,
    ExitCode.MODEL: Reason.MODEL_UNAVAILABLE,
    ExitCode.PLUGIN: Reason.PLUGIN_FAILED,
    ExitCode.UNHEALTHY: Reason.NOT_LEARNING,
}


class Act(StrEnum):
    """What goes wrong."""

    HANG = "hang"  # does no other step; dies of SIGTERM
    HANG_DEAF = "hang-deaf"  # the same, and only SIGKILL ends it
    EXIT = "exit"  # leaves with exit code `value` and says nothing
    END = "end"  # leaves with exit code `value` and says so, as for a user's mistake
    SIGNAL = "signal"  # is ended by signal `value`
    RAISE = "raise"  # dies of a RuntimeError that says `text`, as verl does: "CUDA out of memory"
    HALF_CHECKPOINT = "half-checkpoint"  # is killed in the middle of a save of this step, due or not
    FINDING = "finding"  # goes on, but reports from this step on that it is unhealthy, for the reason `text`


@dataclass(frozen=True)
class Fault:
    """What goes wrong once a step is trained, before it is saved; `attempt` 0 = in every one.

    Step 0 is before the first step of an attempt, whichever that is.
    """

    act: Act
    step: int
    attempt: int = 0
    value: int = 0
    text: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """How fast it goes and what goes wrong.

    Attributes:
        start_seconds: Until the first sign of life.
        step_seconds: Of one step.
        save_seconds: Of one save.
        shard_bytes: Least size of each checkpoint file.
        uses_ray: Keeps an actor on each worker, so that the loss of one ends it as it ends verl.
        faults: What goes wrong.
    """

    start_seconds: float = 0.0
    step_seconds: float = 0.2
    save_seconds: float = 0.0
    shard_bytes: int = 0
    uses_ray: bool = False
    faults: tuple[Fault, ...] = ()

    def text(self) -> str:
        """Return it as the variable's value."""
        return json.dumps(asdict(self))


def rehearsal_of(text: str) -> Rehearsal:
    """Return what a text says.

    >>> rehearsal_of(Rehearsal(faults=(Fault(Act.HANG, 3),)).text()).faults[0].act
    <Act.HANG: 'hang'>
    """
    document = json.loads(text)
    faults = tuple(Fault(**{**it, "act": Act(it["act"])}) for it in document.pop("faults", ()))
    return Rehearsal(faults=faults, **document)


def steering_file(layout: Layout) -> Path:
    """Return the file that replaces the variable while it exists."""
    return layout.root / "rehearsal.json"


class Spoken(RrmError):
    """An ending that the child itself tells."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]
        self.reason = _REASONS.get(code, Reason.TRAINER_CRASHED)  # type: ignore[misc]


def suffer(fault: Fault) -> None:
    """End this process, or never return, as ordered.

    Raises:
        Spoken: the ending is one that the child itself tells.
        RuntimeError: it shall die of one.
    """
    match fault.act:
        case Act.EXIT:
            os._exit(fault.value)
        case Act.END:
            raise Spoken(ExitCode(fault.value), fault.text or "ended by the rehearsal")
        case Act.SIGNAL:
            os.kill(os.getpid(), fault.value)
        case Act.RAISE:
            raise RuntimeError(fault.text)
        case Act.HANG_DEAF:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)
