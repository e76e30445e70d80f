"""Reward functions run unchanged: what they return is what the trainer gets, right or wrong."""

import json
import sys
from typing import Any

import pytest

from rrm.cli import main
from rrm_api.run import ExitCode

pytestmark = pytest.mark.interop

OPENJUDGE = "cookbooks.training_judge_model.grpo"
POINTWISE = f"{OPENJUDGE}.pointwise.reward_fn:compute_score"
GRADER = f"{OPENJUDGE}.pointwise.grader_reward_fn:compute_score"
PAIRWISE = f"{OPENJUDGE}.pairwise.reward_fn:compute_score"
RM_GALLERY = "helpfulness_pointwise:compute_score"
RM_GALLERY_PAIRS = "helpfulness_pairwise:compute_score"

ANSWERS = {
    "a readable answer": "<think>hm</think><score>3</score>",
    "a score off the scale": "<score>9</score>",
    "a negative score": "<score>-1</score>",
    "a number that is no whole one": "<score>3.5</score>",
    "a fraction": "<score>10/10</score>",
    "two scores": "<score>1</score> no, <score>4</score>",
    "no score": "I like it.",
    "an answer that was cut": "<think>The answer is",
    "nothing": "",
    "a score that only the thinking names": "<think><score>4</score></think> fine",
}
PAIR_ANSWERS = {
    "a readable preference": "<think>hm</think><better>A</better><preference>A</preference>",
    "a tie": "<better>tie</better><preference>tie</preference>",
    "both letters": "<better>A and B</better>",
    "a cut answer that names one": "Response A is good",
    "a comparison the wrong way round": "Response A is much worse than Response B",
    "a word that contains tie": "It has many properties",
    "nothing": "",
}
SAMPLE = {
    "unique_id": "1",
    "input": [{"role": "user", "content": "Hi"}],
    "output": [{"answer": {"role": "assistant", "content": "Hello", "label": {"helpfulness": 3}}}],
    "metadata": {"preferred": "A"},
}


def pointwise(entry_point: str, text: str, label: int, **changed: Any) -> dict[str, Any]:
    case = {
        "entry_point": entry_point,
        "method": "pointwise",
        "text": text,
        "label": label,
        "ground_truth": str(label),
        "extra_info": SAMPLE,
    }
    return {**case, **changed}


def pairwise(entry_point: str, text: str, truth: str, **changed: Any) -> dict[str, Any]:
    case = {
        "entry_point": entry_point,
        "method": "pairwise",
        "text": text,
        "label": {"A": -1, "tie": 0, "B": 1}[truth],
        "ground_truth": truth,
        "extra_info": {**SAMPLE, "metadata": {"preferred": truth}},
    }
    return {**case, **changed}


def dictionary(truth: str) -> dict[str, Any]:
    """The ground truth as OpenJudge's own pairwise dataset hands it out."""
    return {"preference": truth, "preference_strength": 2, "response_id": "A", "task_type": "pairwise"}


CASES = [
    *(
        pointwise(entry_point, text, label)
        for entry_point in (POINTWISE, GRADER, RM_GALLERY, f"{RM_GALLERY}_batch", f"{RM_GALLERY}_async")
        for text in ANSWERS.values()
        for label in range(5)
    ),
    *(
        pointwise(POINTWISE, text, 3, ground_truth={"helpfulness": 3, "task_type": "pointwise"})
        for text in ANSWERS.values()
    ),
    *(
        pairwise(RM_GALLERY_PAIRS, text, truth)
        for text in PAIR_ANSWERS.values()
        for truth in ("A", "tie", "B")
    ),
    *(
        pairwise(PAIRWISE, text, truth, ground_truth=dictionary(truth))
        for text in PAIR_ANSWERS.values()
        for truth in ("A", "tie", "B")
    ),
]
RAISING = [
    pointwise("helpfulness_pointwise:linear_of_the_guide", ANSWERS[name], 3)
    for name in ("no score", "a readable answer", "nothing")
]


@pytest.fixture(scope="session")
def scored(upstream: Any) -> list[tuple[Any, Any]]:
    cases = [*CASES, *RAISING]
    return list(zip(cases, upstream.run("their_rewards", cases=cases), strict=True))


def test_the_score_that_reaches_the_trainer_is_the_one_their_function_returned(scored: Any) -> None:
    judged = scored[: len(CASES)]
    assert [answer["metrics"]["score"] for _, answer in judged] == [answer["alone"] for _, answer in judged]
    assert all(answer["metrics"]["reward_error"] == 0 for _, answer in judged)


def test_their_known_faults_stay_theirs_and_our_own_numbers_beside_them_tell(scored: Any) -> None:
    """An unreadable answer earns full reward on label 0 there; `parse_ok` says what happened."""
    found = {
        (case["entry_point"], case["text"], str(case["ground_truth"])): answer["metrics"]
        for case, answer in scored
    }
    unreadable = found[POINTWISE, ANSWERS["no score"], "0"]
    assert (unreadable["score"], unreadable["parse_ok"]) == (1.0, 0.0)
    hacked = found[PAIRWISE, PAIR_ANSWERS["a cut answer that names one"], str(dictionary("A"))]
    assert (hacked["score"], hacked["parse_ok"], hacked["acc"]) == (1.0, 0.0, 0.0)


def test_every_outcome_has_the_same_keys_whatever_the_function_returned(scored: Any) -> None:
    (keys,) = {tuple(answer["metrics"]) for _, answer in scored}
    assert {"score", "acc", "accuracy", "abs_err", "parse_ok", "truncated", "reward_error"} <= set(keys)


def test_numbers_of_their_result_are_kept_and_texts_are_not(scored: Any) -> None:
    case, answer = next(it for it in scored if it[0]["entry_point"] == RM_GALLERY)
    assert answer["extras"] == {
        "predicted_helpfulness": 3.0,
        "true_helpfulness": float(case["ground_truth"]),
        "accuracy": float(case["ground_truth"] == "3"),
    }


def test_a_function_that_raises_is_counted_and_earns_the_minimum(scored: Any) -> None:
    without, read, nothing = [answer for _, answer in scored[len(CASES) :]]
    for answer in (without, nothing):
        assert answer["alone"] == "IndexError"
        assert answer["metrics"]["score"] == 0
        assert answer["metrics"]["reward_error"] == 1
        assert "helpfulness_pointwise.py:" in answer["error"]
    assert read["metrics"]["score"] == read["alone"] == 1.0
    assert read["metrics"]["reward_error"] == 0


def test_our_check_warns_of_the_faults_and_lets_the_function_run(
    upstream: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    packages = upstream.python.parents[1] / "lib/python3.11/site-packages"
    file = packages / "cookbooks/training_judge_model/grpo/pointwise/reward_fn.py"
    assert main(["check", str(file), "--reward", "compute_score"]) == ExitCode.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "the unreadable answer earns no less than the right one" in said
    assert "first seen for label 0: 1 and 1" in said


def test_the_cases_are_those_that_the_reports_name() -> None:
    assert len(json.dumps(CASES)) > 10_000
    assert len(CASES) > 250
