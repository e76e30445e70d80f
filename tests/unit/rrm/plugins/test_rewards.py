"""Reward functions of the user: both signatures, coroutines, and every way to fail."""

import asyncio
import json
import logging
import math
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.errors import PluginFailed
from rrm.plugins.reward_form import reward_call, settled
from rrm.plugins.rewards import MOST_EXTRAS, UserReward, ground_truth_of, user_reward
from rrm.reasoning import RULES
from rrm.rewards import Outcome
from rrm.scales import PREFERENCE, Scale
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm_api.spec_train import Method

SCALE = Scale(0, 4)
TEMPLATE = PointwiseTemplate(label="helpfulness", scale=SCALE, reasoning=RULES["None"])
SAMPLE = {"unique_id": "1", "metadata": {"preferred": "A"}, "output": [{"answer": {"label": {"h": 3}}}]}


def scored(function: Callable[..., Any], text: str = "<score>3</score>", **changed: Any) -> Any:
    reward = UserReward("m:f", reward_call(function, name="m:f"), changed.pop("format_weight", 0.0))
    asked = {
        "data_source": "helpsteer2",
        "ground_truth": "3",
        "extra_info": SAMPLE,
        "label": 3.0,
        "scale": SCALE,
        "template": TEMPLATE,
    }
    return reward.score(text, **{**asked, **changed})


def returning(value: Any) -> Callable[..., Any]:
    def compute_score(data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None) -> Any:
        return value

    return compute_score


def test_arguments_arrive_by_name_in_verls_words() -> None:
    def compute_score(*, solution_str: str, ground_truth: Any, data_source: str, extra_info: Any) -> float:
        assert (solution_str, ground_truth, data_source) == ("<score>3</score>", "3", "helpsteer2")
        assert extra_info == SAMPLE
        return 0.25

    assert scored(compute_score).score == 0.25


def test_the_batch_form_is_called_with_lists_of_one() -> None:
    def compute_score(
        data_sources: Any, solution_strs: Any, ground_truths: Any, extra_infos: Any, **_: Any
    ) -> list[float]:
        assert [len(it) for it in (data_sources, solution_strs, ground_truths, extra_infos)] == [1] * 4
        return [0.5]

    assert scored(compute_score).score == 0.5


def test_a_batch_form_that_returns_another_number_of_scores_is_an_error() -> None:
    def compute_score(data_sources: Any, solution_strs: Any, ground_truths: Any, extra_infos: Any) -> Any:
        return [1.0, 1.0]

    assert "expected a list of 1 score for 1 answer, found 2 of them" in scored(compute_score).error


def test_a_batch_form_that_returns_no_list_is_told_so() -> None:
    def compute_score(data_sources: Any, solution_strs: Any, ground_truths: Any, extra_infos: Any) -> Any:
        return 1.0

    assert "expected a list of 1 score for 1 answer, found float" in scored(compute_score).error


async def waits(data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None) -> float:
    await asyncio.sleep(0)
    return 0.75


def test_a_coroutine_is_awaited() -> None:
    assert scored(waits).score == 0.75


async def test_a_coroutine_is_awaited_inside_a_running_loop_too() -> None:
    assert scored(waits).score == 0.75


@pytest.mark.parametrize("wish", [SystemExit(3), KeyboardInterrupt()])
def test_a_coroutine_that_wants_to_stop_stops_who_waits_for_it_not_the_shared_loop(
    wish: BaseException,
) -> None:
    async def leaves() -> None:
        raise wish

    with pytest.raises(type(wish)):
        settled(leaves())
    assert scored(waits).score == 0.75


def test_all_coroutines_share_one_loop_so_that_a_kept_client_goes_on_working() -> None:
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    assert settled(loop()) == settled(loop())


@pytest.mark.parametrize(
    ("returned", "score"),
    [
        (1, 1.0),
        (True, 1.0),
        (-1.0, -1.0),
        (np.float32(0.5), 0.5),
        (np.array(0.5), 0.5),
        (Fraction(1, 4), 0.25),
        ({"score": 0.5}, 0.5),
        ({"score": np.float64(2)}, 2.0),
    ],
)
def test_what_is_a_finite_number_is_the_reward(returned: Any, score: float) -> None:
    outcome = scored(returning(returned))
    assert (outcome.score, outcome.reward_error) == (score, 0.0)


@pytest.mark.parametrize(
    "returned",
    [None, "0.5", b"1", math.nan, math.inf, -math.inf, [], {}, {"acc": 1.0}, {"score": None}, {"score": "1"}],
)
def test_what_is_no_finite_number_earns_the_minimum_and_is_counted(returned: Any) -> None:
    outcome = scored(returning(returned))
    assert (outcome.score, outcome.reward_error) == (0.0, 1.0)
    assert outcome.error


@pytest.mark.parametrize(
    "error", [ValueError("no"), KeyError("x"), SystemExit(1), RecursionError(), AssertionError()]
)
def test_a_function_that_raises_earns_the_minimum_and_is_counted(error: BaseException) -> None:
    def compute_score(
        data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None
    ) -> float:
        raise error

    outcome = scored(compute_score)
    assert (outcome.score, outcome.reward_error) == (0.0, 1.0)
    assert "test_rewards.py:" in outcome.error


def test_a_fault_is_logged_once_not_once_per_answer(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            scored(returning("a text that no other test returns"))
    assert len(caplog.records) == 1


def test_the_other_numbers_come_from_the_trainings_own_template() -> None:
    read = scored(returning(0.3), "<score>1</score>")
    assert (read.acc, read.abs_err, read.prediction, read.parse_ok) == (0.0, 2.0, 1.0, 1.0)
    unread = scored(returning(0.3), "no")
    assert (unread.score, unread.parse_ok, unread.missing) == (0.3, 0.0, 1.0)
    assert scored(returning(0.3), "<score>3</score>", is_cut=True).truncated == 1.0


def test_a_pair_is_judged_on_its_own_scale() -> None:
    template = PairwiseTemplate(label=None, reasoning=RULES["None"])
    outcome = scored(
        returning(1), "<better>A</better>", template=template, scale=PREFERENCE, label=-1.0, strength=0.5
    )
    assert (outcome.acc, outcome.strength) == (1.0, 0.5)


def test_a_function_that_changes_what_it_is_given_changes_its_own_copy() -> None:
    def compute_score(
        data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None
    ) -> float:
        extra_info["metadata"]["preferred"] = "B"
        extra_info["output"].clear()
        return 1.0

    before = json.dumps(SAMPLE)
    scored(compute_score)
    assert json.dumps(SAMPLE) == before


def test_a_prepared_rows_sample_is_read_for_the_function() -> None:
    def compute_score(
        data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None
    ) -> float:
        return float(extra_info["output"][0]["answer"]["label"]["h"])

    assert scored(compute_score, extra_info=json.dumps(SAMPLE)).score == 3.0


def test_the_format_weight_is_earned_by_being_readable_alone() -> None:
    assert scored(returning(0.5), format_weight=0.2).score == pytest.approx(0.2 + 0.8 * 0.5)
    assert scored(returning(0.5), "no", format_weight=0.2).score == pytest.approx(0.8 * 0.5)


def test_numbers_beside_the_score_are_kept_within_bounds_and_texts_are_not() -> None:
    many = {f"n{i}": i for i in range(100)}
    outcome = scored(returning({"score": 1, "text": "x", "bad": math.nan, "k" * 200: 1, **many}))
    assert len(outcome.extras) == MOST_EXTRAS
    assert outcome.extras[0] == ("k" * 64, 1.0)
    assert set(json.loads(outcome.extras_text())).isdisjoint({"text", "bad", "score"})


@given(st.one_of(st.floats(), st.none(), st.text(), st.dictionaries(st.text(), st.floats() | st.text())))
def test_every_path_has_the_same_keys_and_a_finite_score(returned: Any) -> None:
    outcome = scored(returning(returned))
    built_in = set(Outcome.__dataclass_fields__)
    assert set(outcome.as_metrics()) == built_in
    assert math.isfinite(outcome.score)
    assert set(asdict(outcome)) - built_in == {"extras", "error"}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_without_a_format_weight_the_reward_is_exactly_what_was_returned(value: float) -> None:
    assert scored(returning(value)).score == value


@pytest.mark.parametrize(
    ("label", "method", "words"),
    [
        (3.0, Method.POINTWISE, "3"),
        (0.0, Method.POINTWISE, "0"),
        (-2.0, Method.POINTWISE, "-2"),
        (2.5, Method.POINTWISE, "2.5"),
        (-1.0, Method.PAIRWISE, "A"),
        (-0.0, Method.PAIRWISE, "tie"),
        (1.0, Method.PAIRWISE, "B"),
    ],
)
def test_labels_are_told_in_upstreams_words(label: float, method: Method, words: str) -> None:
    assert ground_truth_of(label, method) == words


def test_an_entry_point_is_loaded_and_its_signature_checked(write_module: Callable[..., str]) -> None:
    name = write_module(
        """
        def right(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
            return 0.5
        def wrong(answer, label):
            return 1.0
        number = 3
        """
    )
    assert user_reward(f"{name}:right", format_weight=0.1).format_weight == 0.1
    with pytest.raises(
        PluginFailed, match=r"expected the parameters data_source, .* found \(answer, label\)"
    ):
        user_reward(f"{name}:wrong")
    with pytest.raises(PluginFailed, match="expected a function, found int"):
        user_reward(f"{name}:number")
    with pytest.raises(PluginFailed, match=r"expected the parameters data_source, .* found no signature"):
        user_reward("operator:itemgetter")
