"""What the metrics and the log tell about trainings, derived from their statuses.

Gauges follow what the watch shows, so they are right after a restart; counters and log lines follow what was
written, so each change is counted and told once.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client import Gauge

from rrm_api.conditions import ConditionStatus, ConditionType, Reason, Stage
from rrm_operator import metrics
from rrm_operator.facts import Key, Manifest
from rrm_operator.logs import NAME

_log = logging.getLogger(__name__)

MAX_SERIES: Final = 1000
"""Trainings whose step and reward have series of their own; those at their end make place for others."""
OTHER: Final = "Other"
_ENDED: Final = (Stage.SUCCEEDED, Stage.FAILED)
_AT_REST: Final = (*_ENDED, Stage.SUSPENDED)
_PER_TRAINING: Final = (
    metrics.TRAINING_STEP,
    metrics.TRAINING_STEPS,
    metrics.TRAINING_GPUS,
    metrics.TRAINING_REWARD,
)
_MESSAGE_CHARS: Final = 500
_ENDED_WELL: Final = Reason.SUCCEEDED.value

# A counter that begins with its first event shows no increase for it: so all are told from the start.
for _reason in (*Reason, OTHER):
    metrics.ATTEMPTS_ENDED.labels(_reason)
    metrics.RESTARTS.labels(_reason)


@dataclass(frozen=True)
class Spent:
    """GPU seconds."""

    held: int = 0
    training: int = 0


@dataclass(frozen=True)
class View:
    """What is told about one training, from its status."""

    stage: str = ""
    """Empty: not looked at yet."""
    reason: str = ""
    message: str = ""
    attempt: int | None = None
    step: int | None = None
    planned_steps: int | None = None
    reward: float | None = None
    training_gpus: int = 0
    idle_gpus: int = 0
    unhealthy: str = ""
    """Why its numbers are unhealthy; empty where they are not, in a suspension, and once it has ended."""

    @property
    def gpus(self) -> int:
        """How many it holds."""
        return self.training_gpus + self.idle_gpus


def view_of(status: Manifest) -> View:
    """Return what a status tells."""
    conditions: dict[str, Manifest] = {it["type"]: it for it in status.get("conditions") or []}
    ready, healthy = (conditions.get(it, {}) for it in (ConditionType.READY, ConditionType.HEALTHY))
    is_unhealthy = healthy.get("status") == ConditionStatus.FALSE and status.get("stage") not in _AT_REST
    progress, gpus = status.get("progress") or {}, status.get("gpuSeconds") or {}
    holding, busy = gpus.get("holding") or 0, gpus.get("busy") or 0
    return View(
        stage=status.get("stage") or "",
        reason=ready.get("reason", ""),
        message=ready.get("message", ""),
        attempt=status.get("attempt"),
        step=progress.get("step"),
        planned_steps=progress.get("totalSteps"),
        reward=float(progress["reward"]) if progress.get("reward") is not None else None,
        training_gpus=min(busy, holding),
        idle_gpus=max(0, holding - busy),
        unhealthy=healthy.get("reason", "") if is_unhealthy else "",
    )


def ended_attempts(old: Manifest, new: Manifest) -> list[str]:
    """Return the reasons of the attempts whose end is told now and was not before."""
    before = {it["number"] for it in old.get("attempts") or [] if it.get("endTime")}
    ended = [it for it in new.get("attempts") or [] if it.get("endTime") and it["number"] not in before]
    return [bounded(it.get("reason") or _ENDED_WELL) for it in ended]


def restarts(old: Manifest, new: Manifest) -> list[str]:
    """Return, for each attempt that is new and not the first, the reason that ended the one before."""
    attempts: dict[int, dict[str, Any]] = {it["number"]: it for it in new.get("attempts") or []}
    begun = attempts.keys() - {it["number"] for it in old.get("attempts") or []}
    before = (attempts.get(number - 1, {}) for number in sorted(begun) if number > 1)
    return [bounded(it.get("reason") or "") for it in before]


def spent(old: Manifest, new: Manifest) -> Spent:
    """Return the GPU seconds that were added; none where a status was begun anew."""
    before, after = old.get("gpuSeconds") or {}, new.get("gpuSeconds") or {}
    held = (after.get("held") or 0) - (before.get("held") or 0)
    training = (after.get("training") or 0) - (before.get("training") or 0)
    return Spent(max(0, held), max(0, training))


def bounded(reason: str) -> str:
    """Return a reason as a label: one of the API's closed list."""
    return reason if reason in set(Reason) else OTHER


@dataclass
class Telemetry:
    """Keeps the metrics of all trainings; what it remembers may be lost at any time.

    Attributes:
        clock: Seconds from some moment on.
        stands_by: Whether another process tells of the trainings, so that gauges stay at zero here: sums over
            the replicas are right.
    """

    clock: Callable[[], float] = time.monotonic
    stands_by: bool = False
    _views: dict[Key, View] = field(default_factory=dict)
    _entered: dict[Key, tuple[str, float]] = field(default_factory=dict)
    _series: set[Key] = field(default_factory=set)
    _left_out: set[Key] = field(default_factory=set)
    _overdrawn: dict[Key, int] = field(default_factory=dict)

    def saw(self, key: Key, status: Manifest) -> None:
        """Let the gauges follow an event of a training."""
        before, view = self._views.get(key), view_of(status)
        if view == before:
            return
        self._views[key] = view
        if not self.stands_by:
            self._count(before, -1)
            self._count(view, 1)
            self._show(key, view)

    def begin(self) -> None:
        """Tell of the trainings from now on, after having stood by."""
        self.stands_by = False
        for key, view in self._views.items():
            self._count(view, 1)
            self._show(key, view)

    def observe(self, key: Key, old: Manifest, new: Manifest) -> None:
        """Count and log what a status that has just been written changes."""
        self._observe_stage(key, view_of(old), view_of(new))
        for reason in ended_attempts(old, new):
            metrics.ATTEMPTS_ENDED.labels(reason).inc()
        for reason in restarts(old, new):
            metrics.RESTARTS.labels(reason).inc()
        added = spent(old, new)
        metrics.GPU_SECONDS_HELD.inc(added.held)
        metrics.GPU_SECONDS_TRAINED.inc(added.training)
        # Training is told late, by steps, so more of it than was held meanwhile makes up for earlier waste.
        wasted = added.held - added.training - self._overdrawn.pop(key, 0)
        metrics.GPU_SECONDS_WASTED.inc(max(0, wasted))
        if wasted < 0:
            self._overdrawn[key] = -wasted

    def forget(self, key: Key) -> None:
        """Forget a training that is gone, and its series."""
        view = self._views.pop(key, None)
        if not self.stands_by:
            self._count(view, -1)
        self._entered.pop(key, None)
        self._overdrawn.pop(key, None)
        self._hide(key)
        metrics.TRAININGS_UNLABELLED.set(len(self._left_out))

    def _observe_stage(self, key: Key, old: View, new: View) -> None:
        if old.stage != new.stage:
            stage, since = self._entered.get(key, ("", 0.0))
            if stage and stage == old.stage:
                metrics.STAGE_SECONDS.labels(stage).observe(self.clock() - since)
            self._entered[key] = (new.stage, self.clock())
        if (old.stage, old.reason, old.attempt) != (new.stage, new.reason, new.attempt):
            log_transition(key, old, new)

    def _count(self, view: View | None, one: int) -> None:
        if view is not None:
            if view.stage:
                metrics.STAGE.labels(view.stage).inc(one)
            if view.unhealthy:
                metrics.UNHEALTHY.labels(bounded(view.unhealthy)).inc(one)
            metrics.GPUS.labels("training").inc(one * view.training_gpus)
            metrics.GPUS.labels("idle").inc(one * view.idle_gpus)

    def _show(self, key: Key, view: View) -> None:
        # An attempt that starts has no step, but may hold GPUs: what only ever starts must be seen too.
        if view.step is None and not view.gpus:
            self._hide(key)
        elif key in self._series or self._has_place():
            self._left_out.discard(key)
            self._series.add(key)
            _set_or_remove(metrics.TRAINING_STEP, key, view.step)
            planned = (view.planned_steps or 0) if view.step is not None else None
            _set_or_remove(metrics.TRAINING_STEPS, key, planned)
            _set_or_remove(metrics.TRAINING_GPUS, key, view.gpus)
            _set_or_remove(metrics.TRAINING_REWARD, key, view.reward)
        else:
            self._left_out.add(key)
        metrics.TRAININGS_UNLABELLED.set(len(self._left_out))

    def _has_place(self) -> bool:
        if len(self._series) >= MAX_SERIES:
            ended = next((it for it in self._series if self._views[it].stage in _ENDED), None)
            if ended is None:
                return False
            self._hide(ended)
            self._left_out.add(ended)
        return True

    def _hide(self, key: Key) -> None:
        self._left_out.discard(key)
        if key in self._series:
            self._series.remove(key)
            for metric in _PER_TRAINING:
                metric.remove(key.namespace, key.name)


def _set_or_remove(metric: Gauge, key: Key, value: float | None) -> None:
    if value is None:
        metric.remove(key.namespace, key.name)
    else:
        metric.labels(key.namespace, key.name).set(value)


def log_transition(key: Key, old: View, new: View) -> None:
    """Write the one line of a transition."""
    fields = {
        "namespace": key.namespace,
        NAME: key.name,
        "stage": new.stage,
        "from_stage": old.stage,
        "reason": new.reason,
        "attempt": new.attempt,
    }
    message = (new.message or new.reason)[:_MESSAGE_CHARS]
    _log.info("%s", message, extra={it: value for it, value in fields.items() if value})
