"""A training's health across its attempts, and what the spec wants to follow from it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rrm.train.attempt import Attempt
from rrm.train.health import RunHealth, expectations_of
from rrm.train.validations import add_validation
from rrm_api.conditions import Reason
from rrm_api.spec_train import OnUnhealthy


def with_intent(attempt: Attempt, **changes: Any) -> Attempt:
    intent = attempt.run.intent.model_copy(update=changes)
    return replace(attempt, run=attempt.run.model_copy(update={"intent": intent}))


def log(attempt: Attempt, steps: range, parse_rate: float) -> None:
    lines = [json.dumps({"step": step, "data": {"rrm/parse_ok": parse_rate}}) + "\n" for step in steps]
    attempt.metrics.write_text("".join(lines))


def test_answers_that_cannot_be_read_for_long_are_found(attempt: Attempt) -> None:
    health = RunHealth(attempt, from_step=0)
    for step in range(1, 30):
        health.observe(step, {"rrm/parse_ok": 0.4})
    (finding,) = health.findings
    assert (finding.reason, finding.step) == (Reason.PARSE_RATE_LOW, 1)
    assert not health.ends_run


def test_a_resumed_attempt_remembers_what_came_before_its_checkpoint_and_nothing_after(
    attempt: Attempt,
) -> None:
    log(attempt, range(1, 40), 0.4)
    assert [finding.reason for finding in RunHealth(attempt, from_step=30).findings] == [
        Reason.PARSE_RATE_LOW
    ]
    assert RunHealth(attempt, from_step=5).findings == ()


def test_the_policy_decides_whether_a_finding_ends_the_run(attempt: Attempt) -> None:
    stopping = with_intent(attempt, on_unhealthy=OnUnhealthy.STOP)
    assert RunHealth(stopping, from_step=0).ends_run


def test_validation_is_held_against_the_untrained_model_and_the_best_floor(attempt: Attempt) -> None:
    add_validation(attempt.validations, 0, {"reward": 0.5})
    expected = expectations_of(attempt)
    assert (expected.base, expected.best_floor, expected.validation_rows) == (0.5, 0.768, 64)


@pytest.mark.parametrize(
    ("kind", "deviation"), [("linear", 0.25), ("exact", 0.5), ("pairwise", 0.5), ("signed", 1.0)]
)
def test_the_error_of_a_validation_depends_on_how_answers_are_paid(
    attempt: Attempt, kind: str, deviation: float
) -> None:
    reward = type(attempt.run.intent.reward).model_validate({kind: {}})
    assert expectations_of(with_intent(attempt, reward=reward)).deviation == deviation
