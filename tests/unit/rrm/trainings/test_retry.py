"""What is refused to be tried again, and what is promised; the operator keeps the promises elsewhere."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rrm.trainings.errors import NothingToRetry
from rrm.trainings.reading import read_training
from rrm.trainings.retry import fresh_value, what_follows
from rrm_api.conditions import Stage

Make = Callable[..., Any]


def ended(manifest: Any, reason: str = "TrainerCrashed") -> Any:
    """Let the newest attempt of a training have ended."""
    manifest["status"]["attempts"][-1] |= {"endTime": "2026-03-01T11:00:00Z", "reason": reason}
    return manifest


@pytest.mark.parametrize(
    "stage",
    ["Pending", "Preparing", "Provisioning", "Starting", "Training", "Stopping", "Exporting"],
)
def test_what_goes_on_by_itself_is_refused_with_its_stage(training: Make, stage: str) -> None:
    with pytest.raises(NothingToRetry, match=f"helpful-judge is {stage} and has not failed"):
        what_follows(read_training(training(stage=stage)))


def answer(manifest: Any) -> str:
    try:
        return what_follows(read_training(manifest))
    except NothingToRetry as refusal:
        return str(refusal)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_an_answer(training: Make, stage: Stage) -> None:
    assert answer(ended(training(stage=stage.value)))


def test_what_has_succeeded_is_refused_with_what_to_do(training: Make) -> None:
    with pytest.raises(NothingToRetry, match="has succeeded: to train again, create a training of another"):
        what_follows(read_training(training(stage="Succeeded")))


def test_what_is_being_deleted_is_refused(training: Make, stalled: Make) -> None:
    going = training(
        stage="Failed",
        conditions=stalled("RestartsExhausted", "", is_final=True),
        metadata={"deletionTimestamp": "2026-03-01T11:00:00Z"},
    )
    with pytest.raises(NothingToRetry, match="is being deleted"):
        what_follows(read_training(going))


def test_what_no_operator_has_looked_at_is_refused(training: Make) -> None:
    with pytest.raises(NothingToRetry, match="no operator has looked at helpful-judge yet"):
        what_follows(read_training(training(stage=None)))


def test_a_stage_that_is_unknown_here_is_refused(training: Make) -> None:
    with pytest.raises(NothingToRetry, match="update rrm"):
        what_follows(read_training(training(stage="Dreaming")))


@pytest.mark.parametrize(
    ("reason", "more", "words"),
    [
        ("RestartsExhausted", {}, "attempt 3 begins from step 120, with all its restarts"),
        ("Unschedulable", {"checkpoints": None}, "attempt 3 begins from the start"),
        ("ExportFailed", {}, "it is exported again"),
        ("DeadlineExceeded", {}, "its time (spec.policy.activeDeadlineSeconds) starts anew"),
        ("InvalidSpec", {}, "what its message names must be corrected first"),
        ("PodsStuck", {}, "attempt 3 begins once the pods of attempt 2 are gone"),
    ],
)
def test_what_has_failed_is_tried_again_with_what_follows(
    training: Make, stalled: Make, reason: str, more: Any, words: str
) -> None:
    manifest = training(stage="Failed", conditions=stalled(reason, "see there"), **more)
    assert words in what_follows(read_training(ended(manifest)))


def test_data_that_was_not_prepared_is_prepared_again(training: Make, stalled: Make) -> None:
    why = ("PrepareFailed", "the hub did not answer")
    manifest = training(
        stage="Stalled", attempt=None, attempts=None, conditions=stalled(*why, DataPrepared=("False", *why))
    )
    assert what_follows(read_training(manifest)) == "its data is prepared again"


@pytest.mark.parametrize("reason", ["KubeRayMissing", "VolumeUnavailable", "Unschedulable"])
def test_what_waits_for_a_person_and_not_for_a_retry_says_so(
    training: Make, stalled: Make, reason: str
) -> None:
    manifest = training(stage="Stalled", attempt=None, attempts=None, conditions=stalled(reason, "see there"))
    with pytest.raises(NothingToRetry, match=rf"goes on by itself once the cause is gone \({reason}: see"):
        what_follows(read_training(manifest))


def test_a_wait_before_the_next_attempt_is_cut_short(training: Make) -> None:
    follows = what_follows(read_training(ended(training(stage="BackingOff"))))
    assert follows.startswith("attempt 3 begins at once instead of later, from step 120")


def test_a_release_is_followed_by_the_next_attempt_only_after_a_failure(training: Make) -> None:
    broken = ended(training(stage="Releasing"))
    assert "once the pods of attempt 2 are gone" in what_follows(read_training(broken))
    with pytest.raises(NothingToRetry, match="has not failed"):
        what_follows(read_training(ended(training(stage="Releasing"), "Succeeded")))
    with pytest.raises(NothingToRetry, match="has not failed"):
        what_follows(read_training(training(stage="Releasing")))


def test_what_failed_and_is_suspended_is_tried_again_when_it_goes_on(training: Make) -> None:
    failure = {"reason": "RestartsExhausted", "message": "see there"}
    follows = what_follows(read_training(training(stage="Suspended", failure=failure)))
    resume = """`kubectl patch rmt helpful-judge --namespace team-a --type merge --patch '{"spec":{"""
    assert f"tried again when it goes on: {resume}" in follows
    with pytest.raises(NothingToRetry, match="is suspended and has not failed: `kubectl patch rmt"):
        what_follows(read_training(training(stage="Suspended")))


def test_what_has_failed_and_is_suspended_since_is_told_to_wait_for_that(
    training: Make, stalled: Make
) -> None:
    manifest = training(stage="Failed", conditions=stalled("RestartsExhausted", "", is_final=True))
    manifest["spec"]["suspend"] = True
    follows = what_follows(read_training(ended(manifest)))
    assert "attempt 3 begins from step 120" in follows
    assert "but only when it is no longer suspended: `kubectl patch" in follows


def test_a_value_is_fresh_each_time_and_the_same_moment_everywhere() -> None:
    moment = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    assert fresh_value(moment) != fresh_value(moment + timedelta(microseconds=1))
    assert fresh_value(moment.astimezone(timezone(timedelta(hours=9)))) == fresh_value(moment)
