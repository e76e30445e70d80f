"""What the metrics tell of trainings: gauges after events, counters after writes, and no name for ever."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import REGISTRY

from rrm_api.conditions import Reason
from rrm_operator import telemetry
from rrm_operator.errors import OperatorError
from rrm_operator.facts import Key
from rrm_operator.telemetry import OTHER, Spent, Telemetry, bounded, ended_attempts, restarts, spent

KEY = Key("demo", "judge")
now = [1000.0]
NAMES = {"namespace": "demo", "name": "judge"}
PER_TRAINING = (
    "rrm_training_step",
    "rrm_training_planned_steps",
    "rrm_training_gpus_held",
    "rrm_training_reward",
)


def status(stage: str = "Training", reason: str = "Training", **more: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "Unknown", "reason": reason, "message": f"it is {reason}"}
    return {"stage": stage, "attempt": 1, "conditions": [ready], **more}


def attempt(number: int, reason: str | None = None) -> dict[str, Any]:
    return {"number": number, **({"endTime": "t", "reason": reason} if reason else {})}


def value(sample: str, /, **labels: str) -> float:
    return REGISTRY.get_sample_value(sample, labels) or 0.0


class Delta:
    """How much a sample has grown since."""

    def __init__(self, name: str, /, **labels: str) -> None:
        self._name, self._labels, self._before = name, labels, value(name, **labels)

    def __call__(self) -> float:
        return value(self._name, **self._labels) - self._before


@pytest.fixture
def told() -> Iterator[Telemetry]:
    made = Telemetry(clock=lambda: now[0])
    now[0] = 1000.0
    yield made
    for key in list(made._views):
        made.forget(key)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([], [attempt(1)], [], id="begun"),
        pytest.param([attempt(1)], [attempt(1, "ClusterLost")], ["ClusterLost"], id="ended"),
        pytest.param(
            [attempt(1, "NoProgress")], [attempt(1, "NoProgress"), attempt(2)], [], id="told before"
        ),
        pytest.param([], [attempt(1, "Replaced"), attempt(2, "Drained")], ["Replaced", "Drained"], id="two"),
        pytest.param([attempt(1)], [attempt(1, "gibberish of somebody")], [OTHER], id="no reason of ours"),
        pytest.param([attempt(1)], [], [], id="history that was cut"),
    ],
)
def test_an_attempt_that_ended_is_counted_once(old: Any, new: Any, expected: list[str]) -> None:
    assert ended_attempts({"attempts": old}, {"attempts": new}) == expected


def test_a_restart_carries_the_reason_that_ended_the_attempt_before() -> None:
    lost = {"attempts": [attempt(1, "ClusterLost")]}
    again = {"attempts": [attempt(1, "ClusterLost"), attempt(2)]}
    assert restarts({}, {"attempts": [attempt(1)]}) == []
    assert restarts(lost, again) == ["ClusterLost"]
    assert restarts(again, again) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param({}, {"held": 80, "training": 0}, Spent(80, 0), id="first"),
        pytest.param({"held": 80, "training": 8}, {"held": 100, "training": 24}, Spent(20, 16), id="more"),
        pytest.param({"held": 80, "training": 8}, {}, Spent(), id="a status that was deleted"),
        pytest.param({"held": 80}, {"held": 80, "training": 40}, Spent(0, 40), id="training told late"),
    ],
)
def test_gpu_seconds_only_ever_grow(old: Any, new: Any, expected: Spent) -> None:
    assert spent({"gpuSeconds": old}, {"gpuSeconds": new}) == expected


def test_held_is_trained_and_wasted_even_where_training_is_told_late(told: Telemetry) -> None:
    held, wasted = Delta("rrm_gpu_seconds_held_total"), Delta("rrm_gpu_seconds_wasted_total")
    told_trained = Delta("rrm_gpu_seconds_trained_total")
    trained = 0
    seconds = [(0, 0), (100, 0), (120, 90), (200, 160), (300, 250)]
    for before, after in pairwise(seconds):
        old, new = ({"gpuSeconds": {"held": it[0], "training": it[1]}} for it in (before, after))
        told.observe(KEY, old, new)
        trained = after[1]
    assert (held(), told_trained()) == (300, 250)
    assert wasted() >= held() - trained, "waste that was told is not taken back"
    assert wasted() == 100


def test_a_stage_is_timed_from_its_beginning_and_not_where_that_was_not_seen(told: Telemetry) -> None:
    left = Delta("rrm_stage_seconds_count", stage="Preparing")
    timed = Delta("rrm_stage_seconds_sum", stage="Provisioning")
    told.observe(KEY, status("Preparing"), status("Provisioning"))
    now[0] += 30
    told.observe(KEY, status("Provisioning"), status("Provisioning", "QuotaPending"))
    now[0] += 12
    told.observe(KEY, status("Provisioning"), status("Starting"))
    assert (left(), timed()) == (0, 42)


def test_gauges_follow_a_training_and_leave_nothing_behind(told: Telemetry) -> None:
    gpus = {"holding": 16, "busy": 0, "held": 5, "time": "t"}
    stage = Delta("rrm_stage_trainings", stage="Training")
    idle, busy = Delta("rrm_gpus_held", use="idle"), Delta("rrm_gpus_held", use="training")
    told.saw(KEY, status("Starting", gpuSeconds=gpus))
    assert (stage(), idle(), busy()) == (0, 16, 0)
    progress = {"step": 3, "totalSteps": 24, "reward": "0.25"}
    told.saw(KEY, status(gpuSeconds={**gpus, "busy": 16}, progress=progress))
    assert (stage(), idle(), busy()) == (1, 0, 16)
    assert value("rrm_training_step", **NAMES) == 3
    assert value("rrm_training_planned_steps", **NAMES) == 24
    assert value("rrm_training_gpus_held", **NAMES) == 16
    assert value("rrm_training_reward", **NAMES) == 0.25
    told.forget(KEY)
    assert (stage(), idle(), busy()) == (0, 0, 0)
    for name in PER_TRAINING:
        assert REGISTRY.get_sample_value(name, NAMES) is None
    told.forget(KEY)


def test_who_stands_by_tells_nothing_and_begins_with_all_that_it_knows(told: Telemetry) -> None:
    told.stands_by = True
    stage, idle = Delta("rrm_stage_trainings", stage="Starting"), Delta("rrm_gpus_held", use="idle")
    told.saw(KEY, status("Starting", gpuSeconds={"holding": 16, "busy": 0}))
    told.saw(Key("demo", "gone"), status("Starting", gpuSeconds={"holding": 8, "busy": 0}))
    told.forget(Key("demo", "gone"))
    assert (stage(), idle()) == (0, 0)
    assert REGISTRY.get_sample_value("rrm_training_gpus_held", NAMES) is None
    told.begin()
    assert (stage(), idle()) == (1, 16)
    assert value("rrm_training_gpus_held", **NAMES) == 16
    told.forget(KEY)
    assert (stage(), idle()) == (0, 0)


def test_a_reward_that_is_not_told_any_more_is_not_shown_any_more(told: Telemetry) -> None:
    told.saw(KEY, status(progress={"step": 3, "reward": "0.25"}))
    told.saw(KEY, status(progress={"step": 0}))
    assert value("rrm_training_step", **NAMES) == 0
    assert REGISTRY.get_sample_value("rrm_training_reward", NAMES) is None


def test_a_training_shows_the_gpus_that_it_holds_whether_it_trains_on_them_or_not(told: Telemetry) -> None:
    progress = {"step": 3, "totalSteps": 24}
    told.saw(KEY, status("Starting", gpuSeconds={"holding": 16, "busy": 0}, progress=progress))
    assert value("rrm_training_gpus_held", **NAMES) == 16
    told.saw(KEY, status("Suspended", gpuSeconds={"holding": 0, "busy": 0}, progress=progress))
    assert REGISTRY.get_sample_value("rrm_training_gpus_held", NAMES) == 0


def test_a_training_that_starts_again_shows_its_gpus_though_it_has_no_step(told: Telemetry) -> None:
    told.saw(KEY, status(gpuSeconds={"holding": 16, "busy": 16}, progress={"step": 3, "reward": "0.25"}))
    told.saw(KEY, status("Provisioning", gpuSeconds={"holding": 16, "busy": 0}))
    assert value("rrm_training_gpus_held", **NAMES) == 16
    for name in ("rrm_training_step", "rrm_training_planned_steps", "rrm_training_reward"):
        assert REGISTRY.get_sample_value(name, NAMES) is None
    told.saw(KEY, status("BackingOff", gpuSeconds={"holding": 0, "busy": 0}))
    assert REGISTRY.get_sample_value("rrm_training_gpus_held", NAMES) is None


SAMPLES_AT_START = """
from prometheus_client import REGISTRY
import rrm_operator.telemetry, rrm_operator.handlers
for family in REGISTRY.collect():
    for it in family.samples:
        if it.name.startswith("rrm_") and it.labels and not it.name.endswith("_created"):
            print(it.name, *it.labels.values(), it.value)
"""


def test_what_alerts_compare_is_zero_before_anything_happens() -> None:
    command = [sys.executable, "-c", SAMPLES_AT_START]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = set(done.stdout.splitlines())
    reasons = {*Reason, OTHER}
    assert {f"rrm_restarts_total {it} 0.0" for it in reasons} <= told
    assert {f"rrm_attempts_ended_total {it} 0.0" for it in reasons} <= told
    assert {f"rrm_gpus_held {it} 0.0" for it in ("training", "idle")} <= told
    of_looks = [it for it in OperatorError.__subclasses__() if it.__module__ == OperatorError.__module__]
    outcomes = {"done", "Unexpected", *(it.__name__ for it in of_looks)}
    assert {f"rrm_reconciles_total {it} 0.0" for it in outcomes} <= told


def test_an_unhealthy_training_counts_by_its_reason_until_it_rests_or_ends(told: Telemetry) -> None:
    collapsed = Delta("rrm_unhealthy_trainings", reason="RewardCollapsed")
    silent = Delta("rrm_unhealthy_trainings", reason="ParseRateLow")

    def told_of(stage: str, healthy: str, reason: str) -> tuple[float, float]:
        seen = status(stage)
        seen["conditions"].append({"type": "Healthy", "status": healthy, "reason": reason})
        told.saw(KEY, seen)
        return collapsed(), silent()

    assert told_of("Training", "Unknown", "Waiting") == (0, 0)
    assert told_of("Training", "False", "RewardCollapsed") == (1, 0)
    assert told_of("BackingOff", "False", "ParseRateLow") == (0, 1)
    assert told_of("Suspended", "False", "ParseRateLow") == (0, 0), "a person has seen to it"
    assert told_of("Training", "True", "Healthy") == (0, 0)
    assert told_of("Training", "False", "RewardCollapsed") == (1, 0)
    assert told_of("Succeeded", "False", "RewardCollapsed") == (0, 0)


def test_series_are_bounded_and_trainings_at_their_end_make_place(
    told: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "MAX_SERIES", 2)
    keys = [Key("demo", f"judge-{number}") for number in range(4)]

    def shown() -> list[str]:
        steps = (
            REGISTRY.get_sample_value("rrm_training_step", {"namespace": "demo", "name": it.name})
            for it in keys
        )
        return [key.name for key, step in zip(keys, steps, strict=True) if step is not None]

    for key in keys[:3]:
        told.saw(key, status(progress={"step": 1}))
    assert shown() == ["judge-0", "judge-1"]
    assert value("rrm_trainings_without_series") == 1
    told.saw(keys[0], status("Succeeded", "Succeeded", progress={"step": 24}))
    told.saw(keys[3], status(progress={"step": 1}))
    assert shown() == ["judge-1", "judge-3"]
    told.forget(keys[1])
    told.saw(keys[2], status(progress={"step": 2}))
    assert shown() == ["judge-2", "judge-3"]


def test_reasons_are_a_closed_list() -> None:
    assert all(bounded(it.value) == it.value for it in Reason)
    assert bounded("default/pod-7f9c was evicted") == OTHER


def test_one_line_tells_a_transition_and_none_what_has_not_changed(
    told: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told.observe(KEY, status("Starting", "Starting"), status())
    told.observe(KEY, status(), status(progress={"step": 4}))
    (line,) = caplog.records
    fields = vars(line)
    assert line.getMessage() == "it is Training"
    assert (fields["namespace"], fields["training_name"]) == ("demo", "judge")
    assert (fields["from_stage"], fields["stage"], fields["reason"]) == ("Starting", "Training", "Training")
    assert fields["attempt"] == 1
