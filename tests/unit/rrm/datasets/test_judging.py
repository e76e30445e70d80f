"""From samples to truths: where each kind of source states them, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.datasets import judge
from rrm.datasets.refusal import RowRefused
from rrm.sample import ChatMessage, DataOutput, DataSample, Judged, Step
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_train import Method

ASKED = (ChatMessage(content="Name a prime."),)


def made(*labels: dict[str, Any] | None, **metadata: Any) -> DataSample:
    """Return a sample whose answers are named a, b, c ..."""
    output = tuple(
        DataOutput(answer=Step(content=chr(ord("a") + n), label=label)) for n, label in enumerate(labels)
    )
    return DataSample(unique_id="1", input=ASKED, output=output, source="own", metadata=metadata or None)


def pairs(sample: DataSample, label: str = "stars") -> list[Judged]:
    return judge(sample, method=Method.PAIRWISE, label=label, scale=PREFERENCE)


def seen(judged: list[Judged]) -> list[tuple[str, float, float]]:
    return [
        ("".join(output.answer.content for output in one.sample.output), one.label, round(one.strength, 2))
        for one in judged
    ]


CHOSEN, REJECTED = {"preference": "chosen"}, {"preference": "rejected"}


@pytest.mark.parametrize(
    ("sample", "truth"),
    [
        (made({}, {}, preferred="A"), [("ab", -1.0, 1.0)]),
        (made({}, {}, preferred="B", preference_strength=-1), [("ab", 1.0, 0.33)]),
        (made({}, {}, preferred="TIE", overall_preference=0), [("ab", 0.0, 0.0)]),
        (made({}, {}, preferred="A", agreement=1.0), [("ab", -1.0, 1.0)]),
        (made({"stars": 1}, {"stars": 5}, preferred="A"), [("ab", -1.0, 1.0)]),
        (made({"preference": "tie"}, {"preference": "tie"}), [("ab", 0.0, 1.0)]),
        (made({"preference": "B"}, {"preference": "B"}), [("ab", 1.0, 1.0)]),
        (made({"is_preferred": False}, {"is_preferred": True}), [("ab", 1.0, 1.0)]),
        (made({"is_preferred": True}, {"is_preferred": False}), [("ab", -1.0, 1.0)]),
        (made({"is_preferred": False}, {"is_preferred": False}), [("ab", 0.0, 1.0)]),
        (made(REJECTED, CHOSEN), [("ab", 1.0, 1.0)]),
        (made(CHOSEN, REJECTED, CHOSEN), [("ab", -1.0, 1.0), ("bc", 1.0, 1.0)]),
        (made({"stars": 1}, {"stars": 5}), [("ab", 1.0, 1.0)]),
        (made({"stars": 3}, {"stars": 3}), [("ab", 0.0, 1.0)]),
        (made({"stars": 3}, {"stars": 5}, {"stars": 1}, {}), [("bc", -1.0, 1.0)]),
        (made({"stars": 1}, {"stars": 2}, {"stars": 5}, rating_ranges={"stars": 8}), [("ac", 1.0, 0.5)]),
        (made({"stars": 3}, {"stars": 3}, rating_ranges={"stars": 4}), [("ab", 0.0, 0.0)]),
        (made({}, {"stars": 2.5}, {"stars": 2}, preferred="A"), [("bc", -1.0, 1.0)]),
    ],
)
def test_the_truth_about_a_pair_is_found_wherever_it_stands(
    sample: DataSample, truth: list[tuple[str, float, float]]
) -> None:
    assert seen(pairs(sample)) == truth


@pytest.mark.parametrize(
    ("sample", "reason", "words"),
    [
        (made(), "not a pair", "two answers or more to compare, found 0 in a sample of own"),
        (made({"stars": 3}), "not a pair", "found 1 in a sample of own"),
        (made({}, {}), "label is missing", "answers rated in stars, found answers with no label"),
        (made({"stars": 3}, {"fun": 1}), "label is missing", "found answers with fun, stars"),
        (made({"stars": 3}, {"stars": "4"}), "label is missing", "answers rated in stars"),
        (made({"stars": 2}, {"stars": 2}, {"stars": 2}), "all answers rated equal", "that differ in stars"),
        (made({}, {}, preferred="C"), "unknown preferred", "preferred: one of A, B, tie, found str 'C'"),
        (made({}, {}, preferred=1), "unknown preferred", "found int 1"),
        (made({}, {}, preferred="A", preference_strength=4), "strength out of range", "at most 3"),
        (made({}, {}, preferred="A", agreement="all"), "strength out of range", "agreement: at most 1"),
        (made(CHOSEN, CHOSEN), "unknown preference", "found str 'chosen'"),
        (made(CHOSEN, CHOSEN, CHOSEN), "label is missing", "only chosen answers"),
        (made(CHOSEN, {}, REJECTED), "unknown preference", "one of chosen, rejected, found NoneType None"),
        (made({"is_preferred": True}, {"is_preferred": True}), "label is missing", "with is_preferred"),
    ],
)
def test_a_pair_without_a_truth_is_refused(sample: DataSample, reason: str, words: str) -> None:
    with pytest.raises(RowRefused) as refused:
        pairs(sample)
    assert refused.value.reason == reason
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("sample", "reason", "words"),
    [
        (made(), "label is missing", "answers rated in stars, found no answer"),
        (made(None), "label is missing", "found answers with no label"),
        (made({"stars": None, "fun": 1}), "label is missing", "found answers with fun, stars"),
        (made({"stars": 0}), "label out of range", "stars: a whole number from 1 to 5, found int 0"),
        (made({"stars": 6.0}), "label out of range", "found float 6.0"),
        (made({"stars": 2.5}), "label between two scores", "found float 2.5"),
        (made({"stars": "4"}), "label is not a number", "found str '4'"),
        (made({"stars": True}), "label is not a number", "found bool True"),
        (made({"stars": float("inf")}), "label is not a number", "found float inf"),
        (made({"stars": 10**400}), "label out of range", "found int 1000"),
    ],
)
def test_an_answer_without_a_score_on_the_scale_is_refused(
    sample: DataSample, reason: str, words: str
) -> None:
    with pytest.raises(RowRefused) as refused:
        judge(sample, method=Method.POINTWISE, label="stars", scale=Scale(1, 5))
    assert refused.value.reason == reason
    assert words in str(refused.value)


def test_each_rated_answer_is_judged_alone_under_an_id_of_its_own() -> None:
    judged = judge(
        made({"stars": 1}, {}, {"stars": 4.0}), method=Method.POINTWISE, label="stars", scale=Scale(1, 5)
    )
    assert seen(judged) == [("a", 1.0, 1.0), ("c", 4.0, 1.0)]
    assert len({one.sample.unique_id for one in judged} | {"1"}) == 3


def test_a_single_answer_keeps_its_sample() -> None:
    sample = made({"stars": 2})
    (one,) = judge(sample, method=Method.POINTWISE, label="stars", scale=Scale(1, 5))
    assert one.sample is sample


@given(st.lists(st.integers(1, 5), min_size=3, max_size=6).filter(lambda stars: len(set(stars)) > 1))
def test_of_rated_answers_the_best_stands_against_the_worst(stars: list[int]) -> None:
    (one,) = pairs(made(*({"stars": n} for n in stars)))
    first, second = (output.answer.label["stars"] for output in one.sample.output)
    assert {first, second} == {max(stars), min(stars)}
    assert one.label == (-1.0 if first > second else 1.0)
    contents = [output.answer.content for output in one.sample.output]
    assert contents == sorted(contents), "the source's order"


@given(st.integers(1, 4), st.integers(1, 4), st.randoms())
def test_every_chosen_answer_meets_every_rejected_one(chosen: int, rejected: int, random: Any) -> None:
    labels = [CHOSEN] * chosen + [REJECTED] * rejected
    random.shuffle(labels)
    judged = pairs(made(*labels))
    assert len(judged) == chosen * rejected
    for one in judged:
        better = one.sample.output[0 if one.label == -1 else 1]
        assert better.answer.label == CHOSEN
    assert len({one.sample.unique_id for one in judged}) == len(judged)
