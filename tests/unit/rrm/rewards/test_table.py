"""Golden tables: what all 25 cells of 0 to 4, all 9 of a pair, and every kind of failure earn."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.rewards import Outcome
from rrm_api.spec_data import (
    ExactReward,
    ExponentialReward,
    LinearReward,
    PairwiseReward,
    Reward,
    SignedReward,
    TiePolicy,
)

GOLDEN = Path(__file__).parents[3] / "golden/rewards"
POINTWISE = {
    "exponential": Reward(exponential=ExponentialReward()),
    "exponential-k-0.5": Reward(exponential=ExponentialReward(k="0.5")),
    "exponential-format-0.1": Reward(exponential=ExponentialReward(), format_weight="0.1"),
    "linear": Reward(linear=LinearReward()),
    "linear-format-0.1": Reward(linear=LinearReward(), format_weight="0.1"),
    "exact": Reward(exact=ExactReward()),
    "exact-format-0.1": Reward(exact=ExactReward(), format_weight="0.1"),
    "signed": Reward(signed=SignedReward()),
    "signed-format-0.1": Reward(signed=SignedReward(), format_weight="0.1"),
}
PAIRWISE = {
    "pairwise-wrong": Reward(pairwise=PairwiseReward()),
    "pairwise-half": Reward(pairwise=PairwiseReward(tie_policy=TiePolicy.HALF)),
    "pairwise-half-format-0.1": Reward(
        pairwise=PairwiseReward(tie_policy=TiePolicy.HALF), format_weight="0.1"
    ),
    "pairwise-half-strength-0.5": Reward(
        pairwise=PairwiseReward(tie_policy=TiePolicy.HALF, strength_weight="0.5")
    ),
}
STRENGTHS = (1.0, 0.5, 0.0)
FAILURES = {
    "missing": "none",
    "truncated": "<score>3",
    "out_of_range": "<score>9</score>",
    "not_integer": "<score>3.5</score>",
    "ambiguous": "<score>3</score></score>",
}
PAIR_FAILURES = {kind: text for kind, text in FAILURES.items() if kind != "not_integer"}
NAMES = {-1: "A", 0: "tie", 1: "B"}
Score = Callable[..., Outcome]


def pointwise_table(score: Score, reward: Reward) -> str:
    """Return a table with labels across and what was said down."""
    lines = ["said \\ label  " + "".join(f"{label:>8}" for label in range(5))]
    said = {str(value): f"<score>{value}</score>" for value in range(5)} | FAILURES
    for name, text in said.items():
        earned = [score(text, label, reward=reward).score for label in range(5)]
        lines.append(f"{name:<14}" + "".join(f"{value:8.4f}" for value in earned))
    lines.append(f"{'no label':<14}{score('<score>3</score>', math.nan, reward=reward).score:8.4f}")
    return "\n".join(lines) + "\n"


def pairwise_table(score: Score, reward: Reward) -> str:
    """Return a table with labels and their strengths across and what was said down."""
    columns = [(label, strength) for label in NAMES for strength in STRENGTHS]
    lines = ["said \\ label  " + "".join(f"{NAMES[label]:>4}@{strength:.1f}" for label, strength in columns)]
    said = {name: f"<better>{name}</better>" for name in NAMES.values()} | PAIR_FAILURES
    for name, text in said.items():
        earned = [score(text, label, reward=reward, strength=strength).score for label, strength in columns]
        lines.append(f"{name:<14}" + "".join(f"{value:8.4f}" for value in earned))
    lines.append(f"{'no label':<14}{score('<better>A</better>', None, reward=reward).score:8.4f}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", [*POINTWISE, *PAIRWISE])
def test_every_cell_earns_what_was_reviewed(name: str, score: Score) -> None:
    """Written anew with UPDATE_GOLDEN=1, and then reviewed as product output."""
    if name in POINTWISE:
        table = pointwise_table(score, POINTWISE[name])
    else:
        table = pairwise_table(score, PAIRWISE[name])
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(table, encoding="utf-8")
    assert table == path.read_text(encoding="utf-8")


def test_every_golden_table_is_compared() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*POINTWISE, *PAIRWISE}


@pytest.mark.parametrize("name", [*POINTWISE, *PAIRWISE])
def test_in_every_table_a_failure_earns_the_least(name: str) -> None:
    _head, *rows = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    cells = {row[:14].strip(): [float(cell) for cell in row[14:].split()] for row in rows}
    failures = FAILURES if name in POINTWISE else PAIR_FAILURES
    read = [cells[said] for said in cells if said not in failures and said != "no label"]
    worst = [min(column) for column in zip(*read, strict=True)]
    assert len(read) == (5 if name in POINTWISE else 3)
    for kind in failures:
        assert all(failed <= least for failed, least in zip(cells[kind], worst, strict=True))
