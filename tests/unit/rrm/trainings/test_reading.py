"""A status is read whatever version of the operator wrote it, and what is not fine is found in it."""

from collections.abc import Callable
from typing import Any

from rrm.trainings.reading import problems, read_training

Make = Callable[..., Any]


def test_fields_of_a_newer_operator_are_no_loss(training: Make) -> None:
    manifest = training(mood="sunny")
    manifest["status"]["progress"]["colour"] = "green"
    manifest["status"]["attempts"][0]["witness"] = {"name": "x"}
    manifest["spec"]["novelty"] = True
    seen = read_training(manifest)
    assert seen.unread == ()
    assert seen.status == read_training(training()).status


def test_values_of_a_newer_operator_are_left_out_and_named(training: Make) -> None:
    manifest = training(stage="Dreaming")
    manifest["status"]["progress"]["reward"] = "very good"
    seen = read_training(manifest)
    assert seen.unread == ("status.progress.reward", "status.stage")
    assert seen.status.stage is None
    assert seen.status.progress is not None
    assert (seen.status.progress.step, seen.status.progress.reward) == (120, None)


def test_an_entry_that_lacks_something_goes_and_its_neighbours_stay(training: Make) -> None:
    manifest = training()
    manifest["status"]["conditions"][1]["status"] = "Perhaps"
    del manifest["status"]["attempts"][0]["startTime"]
    seen = read_training(manifest)
    assert [it.number for it in seen.status.attempts] == [2]
    assert len(seen.status.conditions) == 9
    assert seen.unread == ("status.conditions.1.status",)


def test_a_manifest_is_read_and_not_changed(training: Make) -> None:
    manifest = training(stage="Dreaming")
    read_training(manifest)
    assert manifest["status"]["stage"] == "Dreaming"


def test_a_training_that_nobody_has_looked_at_is_read(training: Make) -> None:
    manifest = training()
    del manifest["status"]
    seen = read_training(manifest)
    assert (seen.status.stage, seen.status.observed_generation, seen.is_suspended) == (None, -1, False)


def test_a_training_that_trains_has_no_problem(training: Make) -> None:
    assert problems(read_training(training()).status) == ()


def test_what_stands_in_several_conditions_is_told_once(training: Make, stalled: Make) -> None:
    why = ("DataInvalid", "train.jsonl, line 7: expected JSON")
    found = stalled(*why, DataPrepared=("False", *why))
    assert [it.type for it in problems(read_training(training(conditions=found)).status)] == ["Stalled"]


def test_details_that_are_not_fine_are_told_beside_each_other(training: Make, conditions: Make) -> None:
    found = conditions(
        ClusterReady=("False", "ClusterLost", "the head pod is gone"),
        Healthy=("False", "RewardCollapsed", "the reward fell"),
    )
    told = problems(read_training(training(conditions=found)).status)
    assert [(it.type, it.reason) for it in told] == [
        ("ClusterReady", "ClusterLost"),
        ("Healthy", "RewardCollapsed"),
    ]


def test_what_is_not_so_because_it_need_not_be_is_no_problem(training: Make, conditions: Make) -> None:
    found = conditions(
        ClusterReady=("False", "ClusterReleased", ""),
        CheckpointSaved=("False", "NoCheckpoint", ""),
        Exported=("False", "ExportDisabled", ""),
    )
    assert problems(read_training(training(conditions=found)).status) == ()


def test_a_retry_waits_until_the_operator_has_remembered_it(training: Make) -> None:
    asked = {"annotations": {"training.rrm.dev/retry": "monday"}}
    assert read_training(training(metadata=asked)).retry_waits
    assert read_training(training(metadata=asked, lastHandledRetry="sunday")).retry_waits
    assert not read_training(training(metadata=asked, lastHandledRetry="monday")).retry_waits
    assert not read_training(training(lastHandledRetry="monday")).retry_waits
