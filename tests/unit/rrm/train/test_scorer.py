"""From a session's answers to its outcome: our rewards, both orders of a pair, and a user's function."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.train.scorer import Answer, Scorer
from rrm_api.run import Intent, intent_of
from rrm_api.v1alpha1 import parse_training

EXAMPLES = Path(__file__).parents[4] / "crds" / "examples"
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    if "boom" in solution_str:
        raise RuntimeError("boom")
    return {"score": 0.25 if ground_truth in ("3", "A") else 0.75, "seen": extra_info["metadata"]["mark"]}
"""


def intent(example: str, **spec: Any) -> Intent:
    manifest = yaml.safe_load((EXAMPLES / f"{example}.yaml").read_text(encoding="utf-8"))
    manifest["spec"] |= {"model": {"name": "tiny", "reasoning": "None"}, **spec}
    return intent_of(parse_training(manifest))


def row(label: float, sample: str | None = None) -> dict[str, Any]:
    return {"label": label, "strength": 1.0, "data_source": "helpsteer2", "sample": sample}


def said(*texts: str) -> list[Answer]:
    return [Answer(text, is_cut=False) for text in texts]


def test_a_right_answer_earns_everything() -> None:
    outcome = Scorer(intent("pointwise")).score(row(3.0), said("<score>3</score>"))
    assert (outcome.score, outcome.acc, outcome.parse_ok) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "score", "is_consistent"),
    [
        ("A", "B", 1.0, 1.0),
        ("A", "A", 0.25, 0.0),
        ("B", "B", 0.25, 0.0),
        ("B", "A", 0.0, 1.0),
    ],
)
def test_both_orders_of_a_pair_earn_together(
    first: str, second: str, score: float, is_consistent: float
) -> None:
    scorer = Scorer(intent("pairwise"))  # half of the reward is for consistency
    outcome = scorer.score(row(-1.0), said(f"<better>{first}</better>", f"<better>{second}</better>"))
    assert (outcome.score, outcome.swap_consistent) == (score, is_consistent)


def test_a_users_function_pays_what_it_returns_and_is_counted_when_it_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_reward_of_a_test.py").write_text(REWARD)
    monkeypatch.syspath_prepend(tmp_path)
    scorer = Scorer(intent("pointwise", reward={"entryPoint": "own_reward_of_a_test:compute_score"}))
    assert scorer.is_users
    sample = json.dumps({"metadata": {"mark": 1}})
    paid = scorer.score(row(3.0, sample), said("<score>0</score>"))
    assert (paid.score, paid.reward_error, paid.abs_err) == (0.25, 0.0, 3.0)
    raised = scorer.score(row(3.0, sample), said("boom"))
    assert (raised.score, raised.reward_error) == (0.0, 1.0)
    assert set(raised.as_metrics()) == set(paid.as_metrics())
