"""How far an attempt is: the trainer appends to the volume, the parent reads and passes it on.

Two files: `progress.jsonl` gets a document per step and validation; `heartbeat.json` is rewritten at each
change of phase, so a stall is seen in rollout, validation and save alike.
"""

import json
import logging
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from rrm.judge.metrics import as_metrics
from rrm.train.attempt import Attempt, write_json
from rrm.train.checkpoints import status_of
from rrm.train.validations import (
    REWARD,
    Validations,
    lift_over,
    read_validations,
    rewards_of,
)
from rrm_api.run import Finding, Phase, Progress

LOG = logging.getLogger(__name__)
RECENT_STEPS = 8


@dataclass
class ProgressLog:
    """Writes both files for the trainer; one per attempt, appending only.

    Attributes:
        attempt: Whose progress it is.
        from_step: Step the attempt resumed from.
        seconds: Durations of the last steps.
        last: What was written last.
        findings: What is unhealthy now.
    """

    attempt: Attempt
    from_step: int
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_STEPS))
    last: Progress | None = None
    findings: Sequence[Finding] = ()

    def beat(self, phase: Phase, step: int) -> None:
        """Note that the attempt lives, and in which phase."""
        write_json(self.attempt.heartbeat, {"phase": phase.value, "step": step, "time": now()})

    def step_done(
        self,
        step: int,
        *,
        reward: float,
        parse_rate: float | None,
        seconds: float,
        findings: Sequence[Finding] = (),
    ) -> None:
        """Append the document of a finished step."""
        self.seconds.append(seconds)
        self.findings = findings
        self._append(step, reward=reward, parse_rate=parse_rate)

    def validated(self, step: int) -> None:
        """Append a document with the numbers of the validation that just ended."""
        last = self.last
        self._append(step, reward=last.reward if last else None, parse_rate=last.parse_rate if last else None)

    def _append(self, step: int, *, reward: float | None, parse_rate: float | None) -> None:
        run, layout = self.attempt.run, self.attempt.layout
        # An attempt that failed may have been further: its numbers are not those of the weights of now.
        kept = read_validations(self.attempt.validations)
        validations = {at: numbers for at, numbers in kept.items() if at <= step}
        total = run.prepared.total_steps
        pace = median(self.seconds) if self.seconds else None
        newest = validations[max(validations)] if validations else {}
        self.last = Progress(
            attempt=self.attempt.number,
            phase=Phase.FINISHED if step >= total else Phase.ROLLOUT,
            step=step,
            total_steps=total,
            from_step=self.from_step,
            reward=_finite(reward),
            parse_rate=_finite(parse_rate),
            seconds_per_step=pace,
            eta_seconds=None if pace is None else round(pace * (total - step)),
            validation=as_metrics(newest),
            base=as_metrics(validations.get(0, {})),
            lift=_lift(self.attempt, validations),
            checkpoints=status_of(layout.checkpoints, rewards_of(validations), volume=self.attempt.volume),
            findings=list(self.findings),
            time=now(),
        )
        with self.attempt.progress.open("a") as lines:
            lines.write(self.last.model_dump_json(by_alias=True) + "\n")


def _lift(attempt: Attempt, validations: Validations) -> float | None:
    if not validations or max(validations) == 0:
        return None
    base = validations.get(0, {}).get(REWARD)
    floors = attempt.run.prepared.floors
    return lift_over(validations[max(validations)][REWARD], base=base, floors=floors)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def now() -> str:
    """Return the time as RFC 3339, UTC, in seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_progress(attempt: Attempt) -> Progress | None:
    """Return the newest document, with a newer heartbeat's phase; None before the first sign of life."""
    beat = _read_heartbeat(attempt)
    newest = _read_last(attempt)
    if newest is None:
        if beat is None:
            return None
        total = attempt.run.prepared.total_steps
        # Nothing is done yet: a resumed attempt begins at the step that it was saved at.
        newest = Progress(
            attempt=attempt.number,
            phase=Phase.STARTING,
            step=beat.step,
            total_steps=total,
            from_step=beat.step,
            time=beat.time,
        )
    if beat is None or beat.time < newest.time or newest.phase is Phase.FINISHED:
        return newest
    return newest.model_copy(update={"phase": beat.phase, "time": beat.time})


class ProgressReader:
    """Reads for the parent; a file that cannot be read now does not end a run that is well."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._last: Progress | None = None
        self._is_unreadable = False

    def read(self) -> Progress | None:
        """Return the newest document that could be read; says once per trouble that none can."""
        try:
            self._last = read_progress(self._attempt)
        except (OSError, ValueError, KeyError) as error:
            if not self._is_unreadable:
                LOG.warning("progress in %s is not readable now: %s", self._attempt.folder, error)
            self._is_unreadable = True
        else:
            self._is_unreadable = False
        return self._last


@dataclass(frozen=True)
class Heartbeat:
    """A sign of life; `time` is RFC 3339, UTC."""

    phase: Phase
    step: int
    time: str


def _read_heartbeat(attempt: Attempt) -> Heartbeat | None:
    if not attempt.heartbeat.is_file():
        return None
    document = json.loads(attempt.heartbeat.read_text())
    return Heartbeat(Phase(document["phase"]), int(document["step"]), document["time"])


def _read_last(attempt: Attempt) -> Progress | None:
    if not attempt.progress.is_file():
        return None
    # The last line may be half written; only a closed one counts.
    whole = attempt.progress.read_text().rpartition("\n")[0].splitlines()
    return Progress.model_validate_json(whole[-1]) if whole else None
