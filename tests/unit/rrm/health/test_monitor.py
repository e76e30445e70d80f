"""Findings over whole runs: published curves, and what a monitor hears in pieces."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.health import Expectations, Monitor
from rrm_api.conditions import Reason
from rrm_api.run import Finding

CURVES = Path(__file__).parents[3] / "data" / "curves"
NOTHING = Expectations()
REWARD, VALIDATION, PARSE = "critic/score/mean", "rrm/validation/reward", "rrm/parse_ok"


def read_curve(name: str) -> list[tuple[int, float]]:
    with (CURVES / f"{name}.csv").open(encoding="utf-8") as stream:
        return [(int(row["step"]), float(row["value"])) for row in csv.DictReader(stream)]


def follow(
    curve: list[tuple[int, float]], metric: str, expectations: Expectations = NOTHING
) -> dict[int, tuple[Finding, ...]]:
    monitor = Monitor(expectations)
    return {step: monitor.observe(step, {metric: value}) for step, value in curve}


def constant(value: float, steps: int) -> list[tuple[int, float]]:
    return [(step, value) for step in range(1, steps + 1)]


def test_the_published_collapse_is_found_within_a_window_of_its_bottom() -> None:
    found = follow(read_curve("pairwise-qwen2.5-14b"), REWARD)
    raised = min(step for step, findings in found.items() if findings)
    assert 88 <= raised <= 98
    (finding,) = found[raised]
    assert finding.reason is Reason.REWARD_COLLAPSED
    assert raised - 12 <= finding.step < raised
    assert finding.message.startswith(f"since step {finding.step}: training reward 0.")


def test_a_collapse_that_only_half_recovers_stays_a_finding() -> None:
    found = follow(read_curve("pairwise-qwen2.5-14b"), REWARD)
    raised = [step for step, findings in found.items() if findings]
    assert raised == list(range(min(raised), max(raised) + 1)), "raised once, without flapping"
    assert max(raised) > 348
    assert not found[380], "it is back where it was"


def test_a_healthy_published_run_has_no_findings() -> None:
    assert not any(follow(read_curve("pointwise-qwen3-8b"), REWARD).values())


def test_a_published_run_that_never_beats_the_most_frequent_label_is_not_learning() -> None:
    expected = Expectations(best_floor=0.415, validation_rows=1038, deviation=0.49)
    found = follow(read_curve("pointwise-qwen3-8b-validation"), VALIDATION, expected)
    assert min(step for step, findings in found.items() if findings) == 90
    (finding,) = found[370]
    assert (finding.reason, finding.step) == (Reason.NOT_LEARNING, 5)
    assert "the best floor at 0.415" in finding.message


def test_the_first_evaluation_is_the_base() -> None:
    monitor = Monitor(Expectations(validation_rows=10_000))
    assert monitor.observe(0, {VALIDATION: 0.7}) == ()
    for step in range(10, 200, 10):
        findings = monitor.observe(step, {VALIDATION: 0.702})
    assert [finding.reason for finding in findings] == [Reason.NOT_LEARNING]
    assert "the untrained model at 0.700" in findings[0].message
    for step in (200, 210):
        findings = monitor.observe(step, {VALIDATION: 0.75})
    assert findings == ()


def test_a_base_that_is_known_is_not_replaced() -> None:
    monitor = Monitor(Expectations(base=0.5, validation_rows=10_000))
    monitor.observe(0, {VALIDATION: 0.9})
    for step in range(10, 200, 10):
        findings = monitor.observe(step, {VALIDATION: 0.6})
    assert findings == ()


def test_step_zero_without_a_validation_is_no_base() -> None:
    monitor = Monitor(Expectations())
    assert monitor.observe(0, {PARSE: 0.1}) == ()
    assert monitor.observe(100, {VALIDATION: 0.1}) == ()


@pytest.mark.parametrize(
    ("metric", "bad", "good", "reason", "after", "until"),
    [
        pytest.param(PARSE, 0.5, 1.0, Reason.PARSE_RATE_LOW, 20, 10, id="unreadable answers"),
        pytest.param("rrm/truncated", 0.5, 0.0, Reason.RESPONSES_TRUNCATED, 20, 10, id="answers cut off"),
        pytest.param(
            "rrm/zero_variance_share", 0.95, 0.3, Reason.ZERO_VARIANCE, 20, 10, id="groups that teach nothing"
        ),
        pytest.param("actor/kl_loss", 3.0, 0.01, Reason.KL_TOO_HIGH, 5, 10, id="KL under its newer name"),
        pytest.param("actor/kl", 3.0, 0.01, Reason.KL_TOO_HIGH, 5, 10, id="KL under its older name"),
    ],
)
def test_a_level_is_told_after_a_while_and_forgotten_after_another(
    metric: str, bad: float, good: float, reason: Reason, after: int, until: int
) -> None:
    monitor = Monitor(Expectations())
    told = [monitor.observe(step, {metric: bad}) for step in range(1, after + 1)]
    assert [len(findings) for findings in told] == [0] * (after - 1) + [1]
    assert (told[-1][0].reason, told[-1][0].step) == (reason, 1)
    told = [monitor.observe(after + step, {metric: good}) for step in range(1, until + 1)]
    assert [len(findings) for findings in told] == [1] * (until - 1) + [0]


def test_format_that_is_learned_within_the_first_steps_is_no_finding() -> None:
    curve = [(step, min(1.0, 0.3 + 0.05 * step)) for step in range(1, 60)]
    assert not any(follow(curve, PARSE).values())


@given(st.lists(st.floats(0.8, 0.8999), min_size=1, max_size=60), st.booleans())
def test_noise_inside_the_band_neither_raises_nor_clears(values: list[float], is_raised: bool) -> None:
    monitor = Monitor(NOTHING)
    for step in range(1, 31):
        before = monitor.observe(step, {PARSE: 0.5 if is_raised else 1.0})
    assert [monitor.observe(31 + i, {PARSE: value}) for i, value in enumerate(values)] == [before] * len(
        values
    )


def test_several_findings_stand_beside_each_other_the_gravest_first() -> None:
    monitor = Monitor(Expectations())
    for step in range(1, 30):
        findings = monitor.observe(step, {PARSE: 0.5, "rrm/truncated": 0.5, "actor/kl_loss": 5.0})
    assert [finding.reason for finding in findings] == [
        Reason.KL_TOO_HIGH,
        Reason.PARSE_RATE_LOW,
        Reason.RESPONSES_TRUNCATED,
    ]


def test_a_step_heard_in_pieces_is_one_step() -> None:
    monitor = Monitor(Expectations())
    for step in range(1, 25):
        monitor.observe(step, {PARSE: 0.5})
        findings = monitor.observe(step, {REWARD: 0.6})
    assert [finding.reason for finding in findings] == [Reason.PARSE_RATE_LOW]
    assert monitor.findings == findings


def test_a_reward_that_is_no_number_is_left_out() -> None:
    curve = [(step, math.nan if step == 5 else 0.6) for step in range(1, 60)]
    assert not any(follow(curve, REWARD).values())


def test_a_kl_that_is_no_number_is_a_finding() -> None:
    found = follow(constant(math.nan, 5), "actor/kl_loss")
    assert found[5][0].message.startswith("since step 1: KL nan nats per token is above 1.000")


def test_the_same_history_gives_the_same_findings() -> None:
    curve = read_curve("pairwise-qwen2.5-14b")
    assert follow(curve, REWARD) == follow(curve, REWARD)
