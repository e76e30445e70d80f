"""The metrics of several attempts as one story."""

import json
from pathlib import Path

from rrm.train.history import read_steps
from rrm_api.run import Layout


def log(layout: Layout, attempt: int, steps: dict[int, float], tail: str = "") -> None:
    folder = layout.attempt(attempt)
    folder.mkdir(parents=True)
    lines = [json.dumps({"step": step, "data": {"reward": value}}) + "\n" for step, value in steps.items()]
    (folder / "metrics.jsonl").write_text("".join(lines) + tail)


def rewards(layout: Layout, up_to: int | None = None) -> dict[int, float]:
    return {step: metrics["reward"] for step, metrics in read_steps(layout, up_to=up_to).items()}


def test_a_later_attempt_replaces_what_was_done_after_its_checkpoint(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "judge")
    log(layout, 1, {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4})
    log(layout, 2, {3: 0.5})
    assert rewards(layout) == {1: 0.1, 2: 0.2, 3: 0.5}


def test_an_attempt_that_logged_nothing_undoes_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "judge")
    log(layout, 1, {1: 0.1, 2: 0.2})
    log(layout, 2, {})
    assert rewards(layout) == {1: 0.1, 2: 0.2}
    assert rewards(layout, up_to=1) == {1: 0.1}


def test_attempts_are_told_in_the_order_of_their_numbers_not_of_their_names(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "judge")
    log(layout, 10, {1: 1.0})
    log(layout, 9, {1: 0.9, 2: 0.9})
    assert rewards(layout) == {1: 1.0}


def test_a_line_that_is_being_written_does_not_count(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "judge")
    log(layout, 1, {1: 0.1}, tail='{"step": 2, "da')
    assert rewards(layout) == {1: 0.1}
    assert rewards(Layout(tmp_path, "other")) == {}
