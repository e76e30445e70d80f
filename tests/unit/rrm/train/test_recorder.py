"""What an attempt leaves on the volume, step by step, whichever engine trains."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from rrm.errors import PluginFailed
from rrm.rewards import Outcome
from rrm.train.answers import read_answers
from rrm.train.attempt import Attempt
from rrm.train.errors import Unhealthy
from rrm.train.progress import read_progress
from rrm.train.recorder import Recorder, StepAnswers, add_own_time, require_answers, require_scored
from rrm.train.validations import read_validations
from rrm_api.run import Phase
from rrm_api.spec_train import OnUnhealthy

VERLS = {"critic/score/mean": 0.5, "timing_s/step": 4.0, "training/global_step": 1.0}


def info(row: int, **changed: Any) -> dict[str, Any]:
    fields = dict.fromkeys(Outcome.__dataclass_fields__, 0.0)
    outcome = asdict(Outcome(**{**fields, "parse_ok": 1.0, "label": 2.0, "prediction": 2.0}))
    identity = {"row_id": f"row-{row}", "prompt_group": f"g{row}", "pair_id": ""}
    return {**outcome, **identity, "hook_seconds": 0.01, "entropy": 0.3, **changed}


Step = Callable[..., dict[str, Any]]


@pytest.fixture
def recorder(attempt: Attempt) -> Recorder:
    return Recorder(attempt, resumed_from=None)


@pytest.fixture
def one_step(recorder: Recorder) -> Step:
    """Record a step of two prompts with two answers each; returns the metrics as verl would log them."""

    def record(step: int = 1, expected: int = 4, **changed: Any) -> dict[str, Any]:
        metrics: dict[str, Any] = dict(VERLS)
        infos = [info(row, **changed) for row in (1, 1, 2, 2)]
        keys = ["a_0_0", "a_1_0", "b_0_0", "b_1_0"]
        answers = StepAnswers(keys, infos, scores=[1.0, 0.0, 0.5, 0.5], expected=expected)
        add_own_time(metrics, recorder.step(step, metrics, answers))
        return metrics

    return record


def test_a_step_gets_our_numbers_and_its_rows_are_noted(attempt: Attempt, one_step: Step) -> None:
    metrics = one_step()
    assert (metrics["rrm/parse_ok"], metrics["rrm/zero_variance_share"]) == (1.0, 0.5)
    assert metrics["rrm/hook_seconds_share"] == pytest.approx(0.01)
    assert json.loads(attempt.rows.read_text()) == {"step": 1, "rows": ["row-1", "row-2"]}
    progress = read_progress(attempt)
    assert progress is not None
    assert (progress.step, progress.reward, progress.parse_rate) == (1, 0.5, 1.0)
    assert progress.seconds_per_step == 4.0


def test_time_outside_the_answers_counts_as_ours_too(recorder: Recorder) -> None:
    metrics: dict[str, Any] = dict(VERLS)
    answers = StepAnswers(["a_0_0"], [info(1)], [1.0], expected=1)
    add_own_time(metrics, recorder.step(1, metrics, answers), outside=0.03)
    assert metrics["rrm/hook_seconds"] == pytest.approx(0.04)


def test_answers_that_never_came_end_the_run_above_one_percent(recorder: Recorder) -> None:
    found = recorder.step(1, dict(VERLS), StepAnswers(["a_0_0"], [info(1)], [1.0], expected=2))
    with pytest.raises(Unhealthy, match="step 1: 1 of 2 answers are missing"):
        require_answers(found, 1)
    require_answers(recorder.step(2, dict(VERLS), StepAnswers(["a_0_0"], [info(1)], [1.0], expected=1)), 2)


@pytest.mark.parametrize(("errors", "is_fine"), [([0.0] * 100, True), ([0.01], True), ([0.011], False)])
def test_a_reward_may_fail_for_one_answer_in_a_hundred(errors: list[float], is_fine: bool) -> None:
    if is_fine:
        require_scored(errors, "step 1")
    else:
        with pytest.raises(PluginFailed, match=r"step 1: .* 1\.1% of the answers, at most 1% may"):
            require_scored(errors, "step 1")


def outcomes_of(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {**columns, "uid": [f"{i}_0_0" for i in range(len(rows))]}


def test_a_validation_is_written_row_by_row_and_measured(attempt: Attempt, recorder: Recorder) -> None:
    rows = [info(1, acc=1.0), info(2, prediction=4.0, abs_err=2.0)]
    recorder.validation(6, ["<score>2</score>", "<score>4</score>"], [1.0, 0.4], outcomes_of(rows))
    assert [(r.row_id, r.reward) for r in read_answers(attempt.answers(6))] == [
        ("row-1", 1.0),
        ("row-2", 0.4),
    ]
    assert read_validations(attempt.validations)[6]["reward"] == pytest.approx(0.7)
    assert recorder.validated(6)["rrm/validation/reward"] == pytest.approx(0.7)


def test_a_validation_that_could_not_be_scored_counts_for_nothing(
    attempt: Attempt, recorder: Recorder
) -> None:
    rows = [info(1, reward_error=1.0)]
    with pytest.raises(PluginFailed, match="validation at 6"):
        recorder.validation(6, ["x"], [0.0], outcomes_of(rows))
    assert read_validations(attempt.validations) == {}


def test_beats_reach_the_heartbeat(attempt: Attempt, recorder: Recorder) -> None:
    recorder.beat(Phase.SAVING, 3)
    assert json.loads(attempt.heartbeat.read_text())["phase"] == "Saving"


@pytest.mark.parametrize("reaction", OnUnhealthy)
def test_a_sick_run_ends_only_where_the_policy_says_so(attempt: Attempt, reaction: OnUnhealthy) -> None:
    intent = attempt.run.intent.model_copy(update={"on_unhealthy": reaction})
    sick = replace(attempt, run=attempt.run.model_copy(update={"intent": intent}))
    recorder = Recorder(sick, resumed_from=None)
    for step in range(1, 21):
        recorder.step(step, dict(VERLS), StepAnswers(["a_0_0"], [info(1, parse_ok=0.0)], [0.0], expected=1))
    progress = read_progress(sick)
    assert progress is not None
    assert progress.findings, "either way it is said"
    ended = recorder.unhealthy()
    assert isinstance(ended, Unhealthy) if reaction is OnUnhealthy.STOP else ended is None


def test_checkpoints_are_pruned_but_for_the_best_and_the_last_ones(
    attempt: Attempt, one_step: Step, make_checkpoint: Callable[[int], None]
) -> None:
    for step in (1, 2, 3, 4, 5, 6):
        make_checkpoint(step)
    one_step()
    kept = sorted(path.name for path in attempt.layout.checkpoints.glob("global_step_*"))
    last = [f"global_step_{step}" for step in (4, 5, 6)][-max(attempt.run.intent.keep_last, 2) :]
    assert kept == last


@pytest.fixture
def make_checkpoint(attempt: Attempt) -> Callable[[int], None]:
    """Make a whole checkpoint of one rank."""

    def make(step: int) -> None:
        folder = attempt.layout.checkpoints / f"global_step_{step}"
        (folder / "actor").mkdir(parents=True)
        for part in ("model", "optim", "extra_state"):
            (folder / "actor" / f"{part}_world_size_1_rank_0.pt").write_bytes(b"x")
        (folder / "data.pt").write_bytes(b"x")
        (folder.parent / "latest_checkpointed_iteration.txt").write_text(str(step))

    return make
