"""Pairs that are asked in both orders at once: every number is of both orders, for judge and floors alike."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.judge.baselines import Floor
from rrm.judge.measured import floor_metrics
from rrm.judge.metrics import judge_metrics
from rrm.judge.pairwise import length_slices
from rrm.judge.ranking import References, rank_lifts
from rrm.judge.scored import ScoredRow
from rrm.judge.surface import Guess
from rrm.reasoning import RULES
from rrm.report.comparison import differences_of
from rrm.rewards import joint_outcome, score_answer
from rrm.scales import PREFERENCE
from rrm.templates.pairwise import PairwiseTemplate
from rrm_api.spec_data import Reward

REWARD = Reward.model_validate({"pairwise": {"swap_consistency_weight": "0.25"}})
NAMES = {-1: "A", 0: "tie", 1: "B", None: "?"}
Verdict = int | None


def session(label: int, first: Verdict, second: Verdict, *, row_id: str = "r") -> ScoredRow:
    """Return what a session leaves in the file of a validation; None = unreadable."""
    asked = PairwiseTemplate(reasoning=RULES["None"])
    texts = [f"<better>{NAMES[said]}</better>" for said in (first, second)]
    there, back = (
        score_answer(text, truth, template=asked, scale=PREFERENCE, reward=REWARD)
        for text, truth in zip(texts, (label, -label), strict=True)
    )
    both = joint_outcome(there, back, reward=REWARD)
    return ScoredRow(
        row_id,
        row_id,
        label,
        both.prediction,
        both.score,
        parse_ok=bool(both.parse_ok),
        truncated=bool(both.truncated),
        acc=both.acc,
        swap_consistent=both.swap_consistent,
        answer_swapped=texts[1],
    )


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        pytest.param(-1, 1, (1, 1, 1, 1), id="right twice"),
        pytest.param(1, -1, (0, 1, 0, 1), id="wrong twice, but for one reason"),
        pytest.param(-1, -1, (0.5, 0, 0, 1), id="always the first"),
        pytest.param(1, 1, (0.5, 0, 0, 1), id="always the second"),
        pytest.param(0, 0, (0, 1, 0, 1), id="a tie twice"),
        pytest.param(-1, None, (0.5, 0, 0, 0), id="unreadable in the other order"),
        pytest.param(None, 1, (0.5, 0, 0, 0), id="unreadable in its own order"),
        pytest.param(None, None, (0, 0, 0, 0), id="unreadable twice"),
    ],
)
def test_each_number_is_of_both_orders(first: Verdict, second: Verdict, wanted: tuple[float, ...]) -> None:
    """The first answer is the better one; in the other order it is the second."""
    found = judge_metrics([session(-1, first, second)], PREFERENCE)
    names = ("accuracy", "swap_consistency", "both_orders_right", "parse_rate")
    assert tuple(found[name] for name in names) == wanted
    assert found["accuracy"] == found["accuracy_untied"] == found["balanced_accuracy"]


def test_what_one_order_left_unreadable_is_no_verdict_for_an_answer() -> None:
    found = judge_metrics([session(-1, None, 1), session(-1, -1, 1)], PREFERENCE)
    assert (found["verdict_a"], found["verdict_tie"]) == (1, 0)


@given(st.lists(st.tuples(*[st.sampled_from([-1, 0, 1])] * 3), min_size=1, max_size=12))
def test_a_session_counts_as_its_two_orders_would_as_rows(sessions: list[tuple[int, int, int]]) -> None:
    joint = [session(*said, row_id=f"r{i}") for i, said in enumerate(sessions)]
    rows: list[ScoredRow] = []
    for i, (label, first, second) in enumerate(sessions):
        for name, truth, verdict in (("ab", label, first), ("ba", -label, second)):
            rows.append(ScoredRow(f"{i}{name}", "g", truth, verdict, 0, True, pair_id=f"p{i}"))
    ours, theirs = judge_metrics(joint, PREFERENCE), judge_metrics(rows, PREFERENCE)
    for name in ("accuracy", "accuracy_untied", "swap_consistency", "both_orders_right"):
        assert ours.get(name) == pytest.approx(theirs.get(name)), name


def test_length_slices_are_of_both_orders_too() -> None:
    assert length_slices([session(-1, -1, -1)], {"r": -1}) == {"accuracy_longer_better": 0.5}


FIRST = Floor("always-first", (1.0, 0.0, 0.0))


def references(rows: list[ScoredRow]) -> References:
    guessed = {row.row_id: Guess("longer-wins", row.row_id, 1.0, 1, 0.5) for row in rows}
    return References((FIRST, Floor("always-tie", (0.0, 1.0, 0.0))), {"longer-wins": guessed})


def test_floors_answer_both_orders_as_well() -> None:
    """Three of four first answers are better: in one order `always-first` would be right in 75 %."""
    rows = [session(label, -1, 1, row_id=f"r{i}") for i, label in enumerate([-1, -1, -1, 1])]
    found = floor_metrics(rows, references(rows), {}, PREFERENCE)
    wanted: dict[str, dict[str, Any]] = {
        "always-first": {"accuracy": 0.5, "swap_consistency": 0, "both_orders_right": 0},
        "always-tie": {"accuracy": 0, "swap_consistency": 1, "both_orders_right": 0},
        "longer-wins": {"accuracy": 0.25, "swap_consistency": 1, "both_orders_right": 0.25},
    }
    assert {name: {key: found[name][key] for key in keys} for name, keys in wanted.items()} == wanted


def test_a_judge_of_places_has_no_lift_over_the_floor_that_is_one() -> None:
    rows = [session(-1 if i % 4 else 1, -1, -1, row_id=f"r{i}") for i in range(40)]
    (found,) = rank_lifts(rows, rows, References((FIRST,)), scale=PREFERENCE)
    assert (found.metric, found.value, found.is_learning) == ("accuracy_untied", 0, False)


def test_two_judges_are_compared_in_both_orders_with_an_interval() -> None:
    places = [session(-1 if i % 2 else 1, -1, -1, row_id=f"r{i}") for i in range(30)]
    reads = [
        session(-1 if i % 2 else 1, -1 if i % 2 else 1, 1 if i % 2 else -1, row_id=f"r{i}") for i in range(30)
    ]
    found = {difference.metric: difference for difference in differences_of(places, reads, PREFERENCE)}
    for name, first in {"accuracy": 0.5, "swap_consistency": 0, "both_orders_right": 0}.items():
        assert (found[name].first, found[name].second) == (first, 1)
        assert found[name].is_clear
