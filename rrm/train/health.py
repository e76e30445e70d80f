"""What a training's own metrics say about its health, across its attempts; what follows is `spec.policy`."""

from collections.abc import Mapping
from typing import Any

from rrm.health import Expectations, Monitor
from rrm.health.monitor import DEVIATION
from rrm.train.attempt import Attempt
from rrm.train.history import read_steps
from rrm.train.validations import REWARD, read_validations
from rrm_api.run import Finding
from rrm_api.spec_train import OnUnhealthy


class RunHealth:
    """Hears each step of an attempt; what earlier attempts logged up to its checkpoint is heard first."""

    def __init__(self, attempt: Attempt, *, from_step: int) -> None:
        self._monitor = Monitor(expectations_of(attempt))
        self.ends_run = attempt.run.intent.on_unhealthy is OnUnhealthy.STOP
        for step, metrics in read_steps(attempt.layout, up_to=from_step).items():
            self._monitor.observe(step, metrics)

    def observe(self, step: int, metrics: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Hear the metrics of a step and return what is unhealthy now."""
        return self._monitor.observe(step, metrics)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is unhealthy now."""
        return self._monitor.findings


def expectations_of(attempt: Attempt) -> Expectations:
    """Return what the validation reward of a training is held against."""
    prepared, reward = attempt.run.prepared, attempt.run.intent.reward
    if reward.exponential or reward.linear:
        deviation = DEVIATION
    elif reward.exact or reward.pairwise:
        deviation = 0.5  # of 0 or 1
    else:
        deviation = 1.0  # of -1 or 1; of a user's own reward nothing is known
    return Expectations(
        base=read_validations(attempt.validations).get(0, {}).get(REWARD),
        best_floor=max((float(floor.value) for floor in prepared.floors), default=None),
        validation_rows=max(prepared.data.validation, 1),
        deviation=deviation,
    )
