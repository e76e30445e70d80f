"""Pairs: one name for both orders, one row of both where asked for, a truth that turns with the answers."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.data.pairs import names_of, turned, with_truth
from rrm.sample import ChatMessage, DataOutput, DataSample, Judged, Step

TEXT = st.text(min_size=1, max_size=20)
LABEL = st.sampled_from([-1.0, 0.0, 1.0])
PREFERRED = {-1.0: "A", 0.0: "tie", 1.0: "B"}


def pair(first: str, second: str, label: float = -1.0, **metadata: Any) -> Judged:
    outputs = tuple(DataOutput(answer=Step(content=text)) for text in (first, second))
    prompt = (ChatMessage(content="which?"),)
    return Judged(DataSample(unique_id="1", input=prompt, output=outputs, metadata=metadata or None), label)


def strengths(number: int) -> list[dict[str, Any]]:
    """Rows of HelpSteer2-Preference's shape; every fifth is a tie."""
    return [
        {
            "prompt": f"question {i}",
            "response_1": f"first answer {i}",
            "response_2": f"second answer {i}",
            "preference_strength": (-2, 1, 3, 0, -1)[i % 5],
        }
        for i in range(number)
    ]


@given(TEXT, TEXT, LABEL)
def test_both_orders_of_a_pair_share_its_name_and_name_each_other(a: str, b: str, label: float) -> None:
    this, other = names_of(pair(a, b, label)), names_of(turned(pair(a, b, label)))
    assert this.pair == other.pair
    assert (this.row == other.turned) == (a != b) or a == b
    if a != b:
        assert (this.turned, other.turned) == (other.row, this.row)
        assert this.row != other.row


@given(TEXT, TEXT, LABEL)
def test_turning_twice_changes_nothing_but_states_the_truth(a: str, b: str, label: float) -> None:
    judged = pair(a, b, label, response_A=a, response_B=b)
    there = turned(judged)
    assert there.label == -label
    assert there.sample.metadata == {"response_A": b, "response_B": a, "preferred": PREFERRED[-label]}
    back = turned(there)
    assert back.sample.output == judged.sample.output
    assert back.sample.metadata == with_truth(judged).metadata
    assert back.sample.metadata == {"response_A": a, "response_B": b, "preferred": PREFERRED[label]}


@pytest.mark.parametrize(
    ("there", "back"),
    [
        pytest.param(
            ({"preference": "A"}, {"preference": "A"}),
            ({"preference": "B"}, {"preference": "B"}),
            id="of both",
        ),
        pytest.param(
            ({"response_type": "A"}, {"response_type": "B"}),
            ({"response_type": "A"}, {"response_type": "B"}),
            id="own place",
        ),
        pytest.param(
            ({"preference": "chosen"}, {"preference": "rejected"}),
            ({"preference": "rejected"}, {"preference": "chosen"}),
            id="of the answer",
        ),
        pytest.param(
            ({"preference": "tie"}, {"preference": "tie"}),
            ({"preference": "tie"}, {"preference": "tie"}),
            id="tie",
        ),
        pytest.param(({"is_preferred": True}, None), (None, {"is_preferred": True}), id="no place"),
    ],
)
def test_labels_that_name_a_place_name_the_other_one_in_a_turned_pair(there: Any, back: Any) -> None:
    metadata = {"label": "A>B"}
    outputs = tuple(
        DataOutput(answer=Step(content=text, label=label)) for text, label in zip("ab", there, strict=True)
    )
    sample = pair("a", "b").sample.model_copy(update={"output": outputs, "metadata": metadata})
    other = turned(Judged(sample, -1.0))
    assert tuple(output.answer.label for output in other.sample.output) == back
    assert other.sample.metadata == {"label": "B>A", "preferred": "B"}
    again = turned(other).sample
    assert (again.output, again.metadata) == (outputs, {"label": "A>B", "preferred": "A"})
    assert sample.output == outputs, "the source's own is untouched"


def test_the_same_texts_under_another_label_are_another_pair() -> None:
    plain, style = names_of(pair("a", "b")), names_of(pair("a", "b"), label="style")
    assert len({plain.pair, style.pair, plain.row, style.row}) == 4


def test_helpsteer2_pairs_are_rows_in_both_orders(workshop) -> None:  # type: ignore[no-untyped-def]
    source = {"format": "helpsteer2_pairwise", "uri": workshop.write("pairs.jsonl", strengths(50))}
    prepared = workshop.pairwise(source)
    rows = workshop.rows("train") + workshop.rows("validation")
    assert (prepared.read_rows, len(rows)) == (100, 100)
    assert set(Counter(row["pair_id"] for row in rows).values()) == {2}
    assert len({row["row_id"] for row in rows}) == 100
    by_pair: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_pair.setdefault(row["pair_id"], []).append(row)
    for first, second in by_pair.values():
        assert first["label"] == -second["label"]
        assert first["strength"] == second["strength"]
        assert first["prompt_group"] == second["prompt_group"]
        assert first["messages"] != second["messages"]
    assert {(row["scale_low"], row["scale_high"], row["messages_swapped"]) for row in rows} == {(-1, 1, None)}
    assert sorted({row["strength"] for row in rows}) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    order = workshop.report["parts"]["train"]["order"]
    assert (order["firstWins"], order["firstWinsAfter"], order["turned"], order["pValue"]) == (0.5, 0.5, 0, 1)


def test_with_swap_consistency_both_orders_are_one_row(workshop, new_workshop) -> None:  # type: ignore[no-untyped-def]
    rows = strengths(50)
    source = {"format": "helpsteer2_pairwise", "uri": workshop.write("pairs.jsonl", rows)}
    prepared = workshop.pairwise(source, pairwise={"swapConsistencyWeight": "0.5"})
    folded = workshop.rows("train") + workshop.rows("validation")
    assert {drop.reason: drop.rows for drop in prepared.data.dropped} == {
        "other order of a pair, judged with it": 50
    }
    assert len({row["pair_id"] for row in folded}) == len(folded) == 50

    apart = new_workshop()
    apart.write("pairs.jsonl", rows)
    apart.pairwise(source)
    single = {row["row_id"]: row for row in apart.rows("train") + apart.rows("validation")}
    for row in folded:
        twins = [other for other in single.values() if other["pair_id"] == row["pair_id"]]
        other = next(twin for twin in twins if twin["row_id"] != row["row_id"])
        assert row["messages"] == single[row["row_id"]]["messages"]
        assert row["messages_swapped"] == other["messages"]
        assert row["label"] == single[row["row_id"]]["label"]
        assert row["prompt_tokens"] == max(twin["prompt_tokens"] for twin in twins)


def chosen_first(number: int) -> list[dict[str, str]]:
    return [
        {"prompt": f"question {i}", "chosen": f"good answer {i}", "rejected": f"bad answer {i}"}
        for i in range(number)
    ]


@pytest.mark.parametrize("weight", ["0", "0.5"])
def test_pairs_whose_better_answer_stands_first_are_balanced_and_it_is_said(workshop, weight: str) -> None:  # type: ignore[no-untyped-def]
    source = {"format": "rewardbench", "uri": workshop.write("pairs.jsonl", chosen_first(100))}
    workshop.pairwise(source, pairwise={"swapConsistencyWeight": weight})
    for part, rows in (("train", 80), ("validation", 20)):
        order = workshop.report["parts"][part]["order"]
        assert (order["untiedPairs"], order["firstWins"], order["firstWinsAfter"]) == (rows, 1.0, 0.5)
        assert order["turned"] == rows // 2
        labels = Counter(row["label"] for row in workshop.rows(part))
        assert labels == {-1.0: rows // 2, 1.0: rows // 2}
    said = [progress.doing for progress in workshop.told if progress.doing.startswith("turned train")]
    assert said == ["turned train pairs round, as the first answer won 100.0% of 80, now 50.0%"]
    for row in workshop.rows("train"):
        text = row["messages"][-1]["content"]
        assert (text.index("good answer") < text.index("bad answer")) == (row["label"] < 0)


def test_the_sample_travels_along_where_the_reward_is_the_users_own(workshop) -> None:  # type: ignore[no-untyped-def]
    source = {"format": "rewardbench", "uri": workshop.write("pairs.jsonl", chosen_first(100))}
    data = {"train": [source], "validation": {"fraction": "0.2"}}
    prepared = workshop.prepare(
        method="Pairwise", data=data, template={}, reward={"entryPoint": "my_rewards:compute_score"}
    )
    assert prepared.floors == []
    truth = Counter()
    for row in workshop.rows("train"):
        sample = json.loads(row["sample"])
        preferred = sample["metadata"]["preferred"]
        truth[preferred] += 1
        best = sample["output"][0 if preferred == "A" else 1]["answer"]["content"]
        assert best.startswith("good")
        assert PREFERRED[row["label"]] == preferred
        assert DataSample.model_validate(sample).input[0].content.startswith("question")
    assert truth == {"A": 40, "B": 40}


@pytest.mark.parametrize("swapped", [False, True])
def test_a_pair_of_equal_answers_teaches_nothing(workshop, swapped: bool) -> None:  # type: ignore[no-untyped-def]
    same = {"prompt": "q", "chosen": "the same", "rejected": "the same "}
    rows = [*chosen_first(60), same] if not swapped else [same, *chosen_first(60)]
    source = {"format": "rewardbench", "uri": workshop.write("pairs.jsonl", rows)}
    prepared = workshop.pairwise(source)
    assert {drop.reason: drop.rows for drop in prepared.data.dropped} == {"both responses equal": 1}
    example = workshop.report["parts"]["train"]["dropped"]["both responses equal"]["example"]
    assert example == f"spec.data.train[0] pvc://c/pairs.jsonl, file pairs.jsonl, line {1 if swapped else 61}"
