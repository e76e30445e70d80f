"""What a training's folder says: finished, running, resumed, and with any file missing or broken."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from make_run import Try

from rrm.errors import VolumeUnavailable
from rrm.report.document import document_of, verdict_word
from rrm.report.gather import Report, gather
from rrm.report.html import render
from rrm.report.words import state_of

NOW = "2026-03-01T12:00:00Z"


def report_of(root: Path) -> Report:
    return gather(root, now=NOW)


def test_a_finished_training_has_a_verdict_on_its_best_checkpoint(recorded: Path) -> None:
    report = report_of(recorded)
    lift = report.judged.lift
    assert lift is not None
    assert (report.judged.step, report.judged.is_checkpoint, report.judged.whole) == (24, True, (12, 24))
    assert lift.low < lift.value < lift.high
    assert lift.value == pytest.approx(
        report.validations[24]["reward"] - report.floors[lift.reference], abs=1e-6
    )
    assert verdict_word(lift, is_over=report.newest.is_over) == "LEARNING"
    assert {rank.metric for rank in report.judged.ranking} == {"spearman", "qwk"}
    assert state_of(report) == "Finished at step 24 of 24"


def test_attempts_are_stitched_where_the_later_one_resumed(recorded: Path) -> None:
    report = report_of(recorded)
    assert sorted(report.steps) == list(range(25))
    later = report.attempts[1].steps
    assert report.steps[14] == later[14] != report.attempts[0].steps[14]
    assert report.steps[12]["actor/entropy"] == report.attempts[0].steps[12]["actor/entropy"]
    assert any("steps 13 to 15 were done again" in gap for gap in report.gaps)


def test_time_and_processors_make_the_cost(recorded: Path) -> None:
    cost = report_of(recorded).cost
    assert cost.wall_seconds == 12 * (15 - 0) + 12 * (24 - 12)
    assert (cost.processes, cost.processor_seconds) == (16, 16 * cost.wall_seconds)
    assert cost.step_seconds is not None
    assert cost.redone_seconds > 0


def test_answers_are_counted_by_label_and_score(recorded: Path) -> None:
    sheet = report_of(recorded).sheet
    assert sheet is not None
    assert sum(sheet.confusion.labels) == sheet.count == 48
    assert sum(sheet.confusion.predictions) + sheet.confusion.unreadable == 48
    assert all(example.prompt and example.untrained is not None for example in sheet.examples)
    exact = sum(sheet.confusion.counts[i][i] for i in range(5)) / 48
    assert exact == pytest.approx(report_of(recorded).validations[24]["exact"])


def test_a_running_training_is_told_as_one(running: Path) -> None:
    report = report_of(running)
    assert not report.newest.is_over
    assert state_of(report).startswith("Rollout: step 15 of 24, about 1 min 30 s to go")
    assert report.step == 15
    assert [f.reason for f in report.findings] == ["ZeroVariance"]
    assert not report.findings[0].is_current, "at step 15 it was well again"


def test_what_is_unhealthy_now_is_told_apart_from_what_was(make: Callable[..., Path]) -> None:
    sick = report_of(make(tries=(Try(0, 12, None),)))
    assert [(f.step, f.is_current) for f in sick.findings] == [(9, True)]


def test_validations_of_steps_that_were_undone_do_not_count(make: Callable[..., Path]) -> None:
    root = make(tries=(Try(0, 18, 20), Try(12, 14, None)))
    assert sorted(report_of(root).validations) == [0, 6, 12]


def test_no_checkpoint_yet_means_the_newest_validation_and_that_is_said(make: Callable[..., Path]) -> None:
    report = report_of(make(save_every=96, tries=(Try(0, 7, None),)))
    assert (report.judged.step, report.judged.is_checkpoint) == (6, False)
    assert any("no whole checkpoint was validated" in gap for gap in report.gaps)


def test_nothing_is_held_against_a_run_before_its_end(make: Callable[..., Path]) -> None:
    report = report_of(make(skill=0.0, tries=(Try(0, 13, None),)))
    assert verdict_word(report.judged.lift, is_over=False) == "NO LIFT YET"
    assert verdict_word(report.judged.lift, is_over=True) == "NOT LEARNING"
    assert verdict_word(None, is_over=False) == "NO VERDICT YET"


def test_how_an_attempt_ended_is_said_in_its_words(make: Callable[..., Path]) -> None:
    assert (
        state_of(report_of(make(tries=(Try(0, 15, 20),)))) == "Attempt 1 ended at step 15 of 24: ClusterLost"
    )


@pytest.mark.parametrize(
    "victim",
    [
        "data/data.json", "data/validation.parquet", "validations.json", "attempt-2/metrics.jsonl",
        "attempt-2/progress.jsonl", "attempt-2/heartbeat.json", "attempt-2/overrides.txt",
        "attempt-2/run.json",
        "attempt-2/validation-24.parquet", "attempt-1/validation-0.parquet", "attempt-2/versions.json",
        "attempt-2/ending.json", "checkpoints/latest_checkpointed_iteration.txt",
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["gone", "garbage", "empty"])
def test_any_file_may_be_missing_or_broken_and_the_report_is_still_written(
    recorded: Path, victim: str, how: str
) -> None:
    path = recorded / victim
    {
        "gone": path.unlink,
        "garbage": lambda: path.write_bytes(b"\xff{nonsense\n"),
        "empty": lambda: path.write_bytes(b""),
    }[how]()
    report = report_of(recorded)
    page = render(report)
    assert "tiny-judge" in page
    json.dumps(document_of(report))
    if (
        victim.endswith((".parquet", "data.json", "metrics.jsonl", "overrides.txt", "run.json"))
        and how == "gone"
    ):
        assert any(Path(victim).name in gap or "step 24" in gap for gap in report.gaps), report.gaps


def test_what_the_volume_has_not_yet_at_the_first_sign_is_no_trouble(make: Callable[..., Path]) -> None:
    root = make(tries=(Try(0, 0, None),))
    for name in ("metrics.jsonl", "progress.jsonl", "heartbeat.json", "validation-0.parquet"):
        (root / "attempt-1" / name).unlink()
    (root / "validations.json").unlink()
    report = report_of(root)
    assert report.judged.step is None
    assert state_of(report) == "Attempt 1 has given no sign of life yet"
    assert "No judge was validated" in render(report)


def test_numbers_come_from_the_log_where_the_validations_file_is_gone(recorded: Path) -> None:
    whole = report_of(recorded).validations
    (recorded / "validations.json").unlink()
    found = report_of(recorded).validations
    assert {step: row["reward"] for step, row in found.items()} == {
        step: row["reward"] for step, row in whole.items()
    }


def test_a_half_written_last_line_is_not_read_and_a_broken_one_is_counted(recorded: Path) -> None:
    metrics = recorded / "attempt-2" / "metrics.jsonl"
    lines = metrics.read_text().splitlines()
    metrics.write_text("\n".join([lines[0], "{broken", "[1]", *lines[1:-1], lines[-1][:20]]))
    report = report_of(recorded)
    assert max(report.steps) == 23
    assert any("2 lines are no JSON objects" in gap for gap in report.gaps)


def test_a_folder_without_attempts_or_without_a_run_file_is_refused(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(VolumeUnavailable, match="found none"):
        report_of(tmp_path)
    for number in (1, 2):
        (recorded / f"attempt-{number}" / "run.json").write_text("{}")
    with pytest.raises(VolumeUnavailable, match=r"2 without a readable run\.json"):
        report_of(recorded)


def test_answers_to_other_rows_have_no_lift_and_that_is_said(
    make: Callable[..., Path], recorded: Path
) -> None:
    other = make(name="other", rows=30)
    (recorded / "attempt-1/validation-0.parquet").write_bytes(
        (other / "attempt-1/validation-0.parquet").read_bytes()
    )
    report = report_of(recorded)
    assert report.judged.lift is None
    assert any("not measured" in gap for gap in report.gaps)
