"""How far an attempt is, as written by the trainer and read by the parent; and the numbers of one step."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.train.attempt import Attempt, attempt_of, newest_attempt, write_json
from rrm.train.log import LOG_TAIL_CHARS, Masker, tail_of
from rrm.train.progress import ProgressLog, read_progress
from rrm.train.step_metrics import step_metrics
from rrm.train.validations import add_validation, lift_over, read_validations
from rrm_api.run import Phase
from rrm_api.status import Metric


def test_before_the_first_sign_of_life_there_is_no_progress(attempt: Attempt) -> None:
    assert read_progress(attempt) is None


def test_a_heartbeat_alone_says_starting_with_the_steps_to_do(attempt: Attempt) -> None:
    ProgressLog(attempt, from_step=0).beat(Phase.VALIDATING, 0)
    progress = read_progress(attempt)
    assert progress is not None
    assert (progress.phase, progress.step, progress.total_steps) == (Phase.VALIDATING, 0, 24)


def test_pace_is_the_median_and_the_rest_is_estimated_from_it(attempt: Attempt) -> None:
    log = ProgressLog(attempt, from_step=12)
    for step, seconds in ((13, 10.0), (14, 100.0), (15, 12.0)):
        log.step_done(step, reward=0.5, parse_rate=0.9, seconds=seconds)
    progress = read_progress(attempt)
    assert progress is not None
    assert (progress.from_step, progress.seconds_per_step, progress.eta_seconds) == (12, 12.0, 12 * 9)


def test_lift_compares_with_the_better_of_base_and_floors(attempt: Attempt) -> None:
    log = ProgressLog(attempt, from_step=0)
    add_validation(attempt.validations, 0, {"reward": 0.5})
    log.validated(0)
    assert log.last is not None
    assert log.last.lift is None, "the untrained model is what is compared with"
    add_validation(attempt.validations, 6, {"reward": 0.8})
    log.validated(6)
    assert log.last.lift == pytest.approx(0.8 - 0.768)


def test_numbers_of_a_step_that_a_lost_attempt_had_reached_are_not_those_of_now(attempt: Attempt) -> None:
    for step, reward in ((0, 0.5), (12, 0.6), (18, 0.9)):
        add_validation(attempt.validations, step, {"reward": reward})
    log = ProgressLog(attempt, from_step=12)
    log.step_done(13, reward=0.5, parse_rate=0.9, seconds=1.0)
    assert log.last is not None
    assert [float(metric.value) for metric in log.last.validation] == [0.6]
    assert log.last.lift == pytest.approx(0.6 - 0.768)


def test_a_half_written_line_is_not_read(attempt: Attempt) -> None:
    log = ProgressLog(attempt, from_step=0)
    log.step_done(3, reward=0.5, parse_rate=None, seconds=1.0)
    with attempt.progress.open("a") as lines:
        lines.write('{"attempt": 1, "pha')
    progress = read_progress(attempt)
    assert progress is not None
    assert progress.step == 3


def test_the_last_step_is_the_end_whatever_the_heartbeat_says(attempt: Attempt) -> None:
    log = ProgressLog(attempt, from_step=0)
    log.step_done(24, reward=0.5, parse_rate=1.0, seconds=1.0)
    log.beat(Phase.VALIDATING, 24)
    progress = read_progress(attempt)
    assert progress is not None
    assert progress.phase is Phase.FINISHED


def test_a_number_that_is_none_is_told_as_absent(attempt: Attempt) -> None:
    log = ProgressLog(attempt, from_step=0)
    log.step_done(1, reward=float("nan"), parse_rate=None, seconds=1.0)
    assert "NaN" not in attempt.progress.read_text()
    progress = read_progress(attempt)
    assert progress is not None
    assert progress.reward is None


def test_a_validation_after_a_resume_replaces_the_lost_one(tmp_path: Path) -> None:
    path = tmp_path / "validations.json"
    add_validation(path, 18, {"reward": 0.9})
    add_validation(path, 0, {"reward": 0.5})
    add_validation(path, 18, {"reward": 0.6})
    assert read_validations(path) == {0: {"reward": 0.5}, 18: {"reward": 0.6}}


def test_without_base_and_floors_there_is_no_lift() -> None:
    assert lift_over(0.9, base=None, floors=[]) is None
    assert lift_over(0.9, base=None, floors=[Metric(name="uniform", value="0.5")]) == pytest.approx(0.4)


def test_other_processes_rebuild_the_attempt_from_its_settings(attempt: Attempt) -> None:
    write_json(attempt.run_copy, attempt.run.manifest())
    assert attempt_of(attempt.settings()) == attempt


def test_the_newest_attempt_is_the_highest_number(attempt: Attempt) -> None:
    (attempt.layout.root / "attempt-10").mkdir()
    (attempt.layout.root / "attempt-x").mkdir()
    assert newest_attempt(attempt.layout) == 10


def test_answers_that_never_came_are_counted() -> None:
    found = step_metrics(["a_0_0", "b_0_0", "b_1_0"], [{"acc": 1.0}] * 3, [1.0, 0.2, 0.4], expected=4)
    assert (found.expected, found.missing) == (4, 1)
    assert found.means == {"acc": 1.0, "zero_variance_share": 0.5}


def test_texts_and_numbers_that_are_none_are_left_out_of_the_means() -> None:
    infos = [{"row_id": "r", "label": float("nan"), "parse_ok": True}]
    assert step_metrics(["a_0_0"], infos, [1.0], expected=1).means == {
        "parse_ok": 1.0,
        "zero_variance_share": 1.0,
    }


@given(st.text(max_size=3 * LOG_TAIL_CHARS))
def test_a_tail_is_the_end_and_fits_into_a_record(text: str) -> None:
    tail = tail_of(text)
    assert len(tail) <= LOG_TAIL_CHARS
    assert text.endswith(tail)
    assert bool(tail) == bool(text)


@given(st.text(st.characters(categories=["L", "N"]), min_size=6), st.text(), st.text())
def test_no_secret_survives_masking(secret: str, before: str, after: str) -> None:
    masked = Masker({"HUB_TOKEN": secret}).mask(f"{before}{secret}{after}")
    assert secret not in masked.replace("***", "\0") or secret in before + after


def test_settings_are_plain_text_for_the_trainers_configuration(attempt: Attempt) -> None:
    assert json.loads(json.dumps(attempt.settings())) == attempt.settings()


def test_a_secret_of_several_lines_or_with_a_line_break_at_its_end_is_masked_line_by_line() -> None:
    masker = Masker({"HUB_TOKEN": "s3cr3t-value\n", "CLOUD_KEY": "-----BEGIN-----\nMIIEvQIBADANBg\n}\n"})
    assert masker.mask("it is s3cr3t-value, or\n") == "it is ***, or\n"
    assert masker.mask("MIIEvQIBADANBg\n") == "***\n"
    assert masker.mask("a } stays\n") == "a } stays\n"
