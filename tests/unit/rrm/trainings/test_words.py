"""What `rrm status` prints into a pipe, against golden files, and the same as JSON.

Regenerate with `UPDATE_GOLDEN=1 pytest tests/unit/rrm/trainings/test_words.py` and review the difference.
"""

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rrm.cli.status import plain_lines
from rrm.trainings.document import document_of, list_document
from rrm.trainings.reading import read_training
from rrm.trainings.words import Section, sections_of, table_of

GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "status_cli"
Make = Callable[..., Any]


def check(sections: list[Section], name: str) -> None:
    text, golden = "\n".join(plain_lines(sections)) + "\n", GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def released(**more: Any) -> dict[str, Any]:
    """Return the meters of a training that has given its GPUs back."""
    seconds = {"held": 88 * 3600, "training": 60 * 3600, "holding": 0, "busy": 0}
    return {**seconds, "time": "2026-03-01T11:00:00Z", **more}


@pytest.fixture
def failed(training: Make, stalled: Make) -> Any:
    message = (
        "attempt 2 ended (TrainerCrashed: NCCL watchdog\ntimeout); 2 in a row saved nothing new; "
        "correct the cause, then `kubectl annotate rmt failed-judge ...` tries it again"
    )
    manifest = training(
        "failed-judge",
        stage="Failed",
        conditions=stalled("RestartsExhausted", message, is_final=True),
        gpuSeconds=released(),
        failure={"reason": "RestartsExhausted", "message": message, "logTail": "Traceback ..."},
    )
    manifest["status"]["attempts"][1] |= {
        "endTime": "2026-03-01T11:00:00Z",
        "toStep": 121,
        "reason": "TrainerCrashed",
        "savedStep": 120,
        "restarts": 1,
    }
    return manifest


@pytest.fixture
def succeeded(training: Make, conditions: Make) -> Any:
    why = ("Succeeded", "trained 480 steps; exported to good-judge/export")
    progress = {"step": 480, "totalSteps": 480, "percent": 100, "reward": "0.8", "lift": "0.31"}
    manifest = training(
        "good-judge",
        stage="Succeeded",
        attempt=1,
        conditions=conditions(
            Ready=("True", *why),
            Succeeded=("True", *why),
            ClusterReady=("False", "ClusterReleased", ""),
            Exported=("True", "Exported", "step 440 is at good-judge/export"),
        ),
        progress={**progress, "lastProgressTime": "2026-02-28T09:00:00Z"},
        gpuSeconds=released(held=1600 * 3600, training=1500 * 3600),
        checkpoints={"latestStep": 480, "bestStep": 480},
        export={"path": "good-judge/export", "step": 440},
    )
    manifest["status"]["attempts"] = [
        {
            "number": 1,
            "cluster": "good-judge-c1",
            "startTime": "2026-02-26T09:00:00Z",
            "endTime": "2026-02-28T09:01:00Z",
            "fromStep": 0,
            "toStep": 480,
            "reason": "Succeeded",
            "savedStep": 480,
        }
    ]
    return manifest


@pytest.fixture
def unseen(training: Make) -> Any:
    manifest = training("new-judge", metadata={"generation": 3})
    del manifest["status"]
    return manifest


def test_a_training_that_trains_is_told_as_reviewed(training: Make, now: datetime) -> None:
    check(sections_of(read_training(training()), now), "training")


def test_a_training_that_failed_is_told_as_reviewed(failed: Any, now: datetime) -> None:
    check(sections_of(read_training(failed), now), "failed")


def test_a_training_that_succeeded_is_told_as_reviewed(succeeded: Any, now: datetime) -> None:
    check(sections_of(read_training(succeeded), now), "succeeded")


def test_a_training_that_nobody_has_looked_at_is_told_as_reviewed(unseen: Any, now: datetime) -> None:
    check(sections_of(read_training(unseen), now), "unseen")


def test_a_training_of_a_newer_operator_is_told_as_reviewed(training: Make, now: datetime) -> None:
    odd = training(
        stage="Dreaming",
        metadata={"generation": 2, "annotations": {"training.rrm.dev/retry": "monday"}},
    )
    check(sections_of(read_training(odd), now), "newer")


def test_all_trainings_are_told_as_reviewed(
    training: Make, failed: Any, succeeded: Any, unseen: Any, now: datetime
) -> None:
    seen = [read_training(it) for it in (failed, succeeded, training(), unseen)]
    check([table_of(seen, now, names_namespace=False)], "list")
    check([table_of(seen, now, names_namespace=True)], "list-of-all-namespaces")


def test_meters_are_read_on_to_now_and_a_clock_that_is_behind_takes_nothing_back(
    training: Make, now: datetime
) -> None:
    seen = read_training(training())
    hour_ago, day_ago = now - timedelta(hours=1), now - timedelta(days=1)
    told = [document_of(seen, it)["gpuHours"] for it in (now, hour_ago, day_ago)]
    assert [it["held"] for it in told] == [88, 72, 72]
    assert [it["training"] for it in told] == [76, 60, 60]
    assert [(it["wasted"], it["wastedPercent"]) for it in told] == [(12, 14), (12, 17), (12, 17)]


def test_a_training_without_gpus_has_no_gpu_hours(training: Make, now: datetime) -> None:
    seen = read_training(training(gpuSeconds=None))
    assert document_of(seen, now)["gpuHours"] is None
    assert not [it for it in sections_of(seen, now) if "GPU" in it.title]
    assert table_of([seen], now, names_namespace=False).rows[0][-4:] == ("-",) * 4


def test_an_end_that_is_overdue_is_now_and_without_training_there_is_none(
    training: Make, now: datetime
) -> None:
    seen = read_training(training())
    assert document_of(seen, now)["secondsToEnd"] == 10_940, "as of the report, 40 s ago"
    assert document_of(seen, now + timedelta(days=1))["secondsToEnd"] == 0
    assert document_of(read_training(training(stage="BackingOff")), now)["secondsToEnd"] is None


def test_json_says_what_is_wrong_and_holds_no_log(failed: Any, succeeded: Any, now: datetime) -> None:
    document = list_document([read_training(it) for it in (failed, succeeded)], now)
    text = json.dumps(document)
    assert "Traceback" not in text
    told, good = document["trainings"]
    assert (told["stage"], told["attempts"][1]["savedStep"]) == ("Failed", 120)
    assert [(it["type"], it["reason"]) for it in told["problems"]] == [("Stalled", "RestartsExhausted")]
    assert good["problems"] == []
    assert good["export"] == {"path": "good-judge/export", "step": 440}
    assert document["gpuHours"] == {
        "held": 1688,
        "training": 1560,
        "wasted": 128,
        "wastedPercent": 8,
        "holding": 0,
        "busy": 0,
    }
