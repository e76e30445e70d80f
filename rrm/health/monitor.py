"""`Monitor`: hears the metrics of each step and says what is unhealthy now."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rrm.health.alarm import Alarm, Reading
from rrm.health.collapse import WINDOW, reward_collapse
from rrm.health.learning import no_lift
from rrm.health.levels import PARSE_RATE, TRUNCATED, ZERO_VARIANCE, kl_too_high
from rrm_api.conditions import Reason
from rrm_api.run import Finding

REWARD: Final = "critic/score/mean"
KL: Final = ("actor/kl_loss", "actor/kl")
"""Names of the KL by engine version; the first that is there counts."""
VALIDATION: Final = "rrm/validation/reward"
DEVIATION: Final = 0.25
"""Standard deviation of one row's reward, unless a caller knows better: that of the exponential reward on
HelpSteer2 (one standard error on 1,000 rows is 0.008). A reward of 0 or 1 has at most 0.5, of -1 or 1 at
most 1."""


@dataclass(frozen=True)
class Expectations:
    """What the validation reward is held against.

    Attributes:
        base: That of the untrained model; None = taken from step 0, if that is heard.
        best_floor: That of the best floor.
        validation_rows: Rows it is a mean of.
        deviation: Standard deviation of one row's reward.
    """

    base: float | None = None
    best_floor: float | None = None
    validation_rows: int = 1000
    deviation: float = DEVIATION

    @property
    def error(self) -> float:
        """Standard error of a validation reward."""
        return self.deviation / math.sqrt(self.validation_rows)


SETTLED: Final = 90
"""Step from which a missing lift is told: published validation curves rise until about here."""

Detector = Callable[[Sequence[float]], Reading | None]


@dataclass(frozen=True)
class _Watch:
    """One detector: what it reads, under which names, how patient its alarm is, from which step it tells."""

    reason: Reason
    metrics: tuple[str, ...]
    read: Detector
    raise_after: int
    clear_after: int
    not_before: int = 0


def _watches(expectations: Expectations) -> tuple[_Watch, ...]:
    levels = (
        # Format and prior are found within the first 10 to 15 steps of published runs: what is bad then is
        # no finding, what is still bad after 20 is.
        _Watch(level.reason, (level.metric,), level.read, raise_after=20, clear_after=10)
        for level in (PARSE_RATE, TRUNCATED, ZERO_VARIANCE)
    )

    def lift(rewards: Sequence[float]) -> Reading:
        return no_lift(
            rewards,
            base=expectations.base,
            best_floor=expectations.best_floor,
            error=expectations.error,
        )

    return (
        # A whole window of steps later the smoothed value is made of other steps.
        _Watch(Reason.REWARD_COLLAPSED, (REWARD,), reward_collapse, raise_after=WINDOW, clear_after=WINDOW),
        # Each step at such a KL does harm: short to raise, long to trust again.
        _Watch(Reason.KL_TOO_HIGH, KL, kl_too_high, raise_after=5, clear_after=10),
        *levels,
        # Counted in evaluations. A judge with no lift passes two errors by chance once in 40 evaluations, so
        # two in a row mean something.
        _Watch(Reason.NOT_LEARNING, (VALIDATION,), lift, raise_after=5, clear_after=2, not_before=SETTLED),
    )


class Monitor:
    """Memory of one run's metrics.

    Heard again from a checkpoint's history it says what it said then: it knows neither clock nor chance.

    >>> monitor = Monitor(Expectations())
    >>> for step in range(1, 26):
    ...     findings = monitor.observe(step, {"rrm/parse_ok": 0.5})
    >>> [(finding.reason.value, finding.step) for finding in findings]
    [('ParseRateLow', 1)]
    """

    def __init__(self, expectations: Expectations) -> None:
        self._expectations = expectations
        self._watches = _watches(expectations)
        self._alarms = {watch.reason: Alarm(watch.raise_after, watch.clear_after) for watch in self._watches}
        self._heard: dict[Reason, list[float]] = {watch.reason: [] for watch in self._watches}
        self._step = 0

    def observe(self, step: int, metrics: Mapping[str, float]) -> tuple[Finding, ...]:
        """Hear the metrics of a step and return what is unhealthy now.

        A metric that is missing says nothing, so a step may be heard in pieces. Step 0 is the untrained
        model: it gives the base that later validation rewards are held against.
        """
        self._step = step
        if step == 0:
            self._hear_base(metrics)
            return self.findings
        for watch in self._watches:
            value = next((float(metrics[name]) for name in watch.metrics if name in metrics), None)
            if value is None or (watch.reason in _FINITE and not math.isfinite(value)):
                continue
            self._heard[watch.reason].append(value)
            reading = watch.read(self._heard[watch.reason])
            if reading is not None:
                self._alarms[watch.reason] = self._alarms[watch.reason].hear(reading, step)
        return self.findings

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is unhealthy now, the gravest first; empty = nothing."""
        told = [watch.reason for watch in self._watches if self._step >= watch.not_before]
        alarms = {reason: self._alarms[reason] for reason in told}
        return tuple(
            Finding(reason=reason, step=alarm.since, message=f"since step {alarm.since}: {alarm.message}")
            for reason, alarm in alarms.items()
            if alarm.message is not None
        )

    def _hear_base(self, metrics: Mapping[str, float]) -> None:
        base = metrics.get(VALIDATION)
        if self._expectations.base is None and base is not None:
            known = self._expectations
            self._expectations = Expectations(base, known.best_floor, known.validation_rows, known.deviation)
            self._watches = _watches(self._expectations)


_FINITE: Final = (Reason.REWARD_COLLAPSED, Reason.NOT_LEARNING)
"""Read as means over many steps: one value that is no number would stay in all that follow."""
