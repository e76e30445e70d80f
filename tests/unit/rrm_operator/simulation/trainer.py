"""A trainer and what it says: its progress, and the record of its end."""

from dataclasses import dataclass, field
from typing import Any

from rrm_api.conditions import Reason
from rrm_api.run import Result
from rrm_operator.facts import Manifest, RayJobState

from .api_server import written

TOTAL_STEPS = 12
SAVE_EVERY = 4
STEP_SECONDS = 10.0
BEGIN_SECONDS = 4.0
SAVE_SECONDS = 2.0
ANSWER_SECONDS = 60.0
"""How long a trainer tries to write its record."""


@dataclass
class Volume:
    """What lies on a claim for one training's name."""

    saved: int = 0
    newest_attempt: int = 0
    identity: str = ""


@dataclass
class Process:
    """A trainer: the parent on the head and all that it started."""

    id: str
    training: str
    attempt: int
    cluster: str
    cluster_uid: str
    head_uid: str
    digest: str
    volume: Volume
    step: int = 0
    from_step: int = 0
    state: RayJobState = RayJobState.RUNNING
    alive: bool = True
    hangs: bool = False
    hung_at: float = 0.0
    reported_at: float = 0.0
    """When it reported last, by the world's clock."""
    ignores_stop: bool = False
    findings: list[dict[str, Any]] = field(default_factory=list)
    ended_at: float = 0.0
    outcome: str = ""


@dataclass(frozen=True)
class Ending:
    """How a trainer ended, as it says."""

    result: Result
    reason: Reason
    words: str
    exit_code: int


def progress_of(process: Process, phase: str, now: float) -> Manifest:
    """Return what a trainer reports."""
    return {
        "attempt": process.attempt,
        "phase": phase,
        "step": process.step,
        "totalSteps": TOTAL_STEPS,
        "fromStep": process.from_step,
        "reward": 0.5,
        "checkpoints": {"latestStep": process.volume.saved} if process.volume.saved else {},
        "findings": process.findings,
        "time": written(now),
    }


def record_of(process: Process, ending: Ending, now: float) -> Manifest:
    """Return the record of a trainer's end."""
    record = {
        "role": "train",
        "attempt": process.attempt,
        "inputDigest": process.digest,
        "result": ending.result.value,
        "reason": ending.reason.value,
        "message": ending.words,
        "exitCode": ending.exit_code,
        "finishedTime": written(now),
    }
    if ending.result is Result.FAILED:
        return record
    saved = {"latestStep": process.volume.saved} if process.volume.saved else {}
    trained = {"step": process.step, "totalSteps": TOTAL_STEPS, "checkpoints": saved, "base": [], "best": []}
    return {**record, "trained": trained}
