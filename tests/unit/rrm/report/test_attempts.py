"""Attempts as their files show them, where these are odd or not yet there."""

import json
from pathlib import Path

from rrm.report.attempts import read_attempts
from rrm.report.reading import Gaps


def attempt(
    folder: Path, *, progress: list[dict[str, object]], beat: dict[str, object] | None = None
) -> Path:
    made = folder / "attempt-1"
    made.mkdir()
    (made / "progress.jsonl").write_text("".join(json.dumps(row) + "\n" for row in progress))
    if beat is not None:
        (made / "heartbeat.json").write_text(json.dumps(beat))
    return made


def test_a_time_without_its_zone_is_utc_like_all_others(tmp_path: Path) -> None:
    attempt(
        tmp_path,
        progress=[{"step": 1, "time": "2026-03-01T09:00:00Z"}],
        beat={"step": 2, "phase": "Saving", "time": "2026-03-01T09:01:00"},
    )
    seen = read_attempts(tmp_path, Gaps(tmp_path))[0]
    assert (seen.seconds, seen.last_step, seen.from_step) == (60, 2, None)


def test_a_time_that_is_none_makes_no_duration(tmp_path: Path) -> None:
    attempt(
        tmp_path, progress=[{"time": "yesterday"}, {"time": "today", "findings": [{"message": "no reason"}]}]
    )
    seen = read_attempts(tmp_path, Gaps(tmp_path))[0]
    assert (seen.seconds, seen.findings) == (0.0, ())


def test_a_later_heartbeat_tells_the_phase_and_an_earlier_one_does_not(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"step": 3, "phase": "Rollout", "time": "2026-03-01T09:00:00Z"}]
    made = attempt(
        tmp_path, progress=rows, beat={"step": 3, "phase": "Saving", "time": "2026-03-01T09:00:30Z"}
    )
    assert read_attempts(tmp_path, Gaps(tmp_path))[0].phase == "Saving"
    assert read_attempts(tmp_path, Gaps(tmp_path))[0].seconds == 30
    (made / "heartbeat.json").write_text('{"step": 2, "phase": "Saving", "time": "2026-03-01T08:00:00Z"}')
    assert read_attempts(tmp_path, Gaps(tmp_path))[0].phase == "Rollout"


def test_the_checkpoint_it_resumed_from_is_seen_in_its_steps_too(tmp_path: Path) -> None:
    made = attempt(tmp_path, progress=[])
    lines = [{"step": step, "data": {"critic/score/mean": 0.5}} for step in (13, 14)] + [{"step": "x"}]
    (made / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    seen = read_attempts(tmp_path, Gaps(tmp_path))[0]
    assert (seen.from_step, seen.last_step, sorted(seen.steps)) == (12, 14, [13, 14])


def test_a_folder_in_the_place_of_a_file_is_noted(tmp_path: Path) -> None:
    made = attempt(tmp_path, progress=[])
    (made / "metrics.jsonl").mkdir()
    gaps = Gaps(tmp_path)
    read_attempts(tmp_path, gaps)
    assert any(gap.startswith("attempt-1/metrics.jsonl: not readable") for gap in gaps.found)


def test_attempts_are_counted_by_number_and_other_folders_left_alone(tmp_path: Path) -> None:
    for name in ("attempt-10", "attempt-9", "attempt-x", "attempt-"):
        (tmp_path / name).mkdir()
    assert [seen.number for seen in read_attempts(tmp_path, Gaps(tmp_path))] == [9, 10]
