"""Bugs of the seed's converters, each with the row that shows it."""

from typing import Any

import pytest

from rrm.datasets.refusal import RowRefused
from rrm_api.spec_train import Method


def test_rewardbench_ids_do_not_collide_on_repeated_prompts(converted: Any) -> None:
    row = {"prompt": "Name a prime.", "chosen": "7", "rejected": "8"}
    (first,), (second,) = converted("rewardbench", row), converted("rewardbench", row | {"rejected": "9"})
    assert first.unique_id != second.unique_id


def test_rewardbench2_counts_its_wrong_answers(converted: Any) -> None:
    assert [sample.metadata["num_incorrect"] for sample in converted("rewardbench2")] == [3, 1]
    assert all("num_rejected" not in sample.metadata for sample in converted("rewardbench2"))


@pytest.mark.parametrize("format", ["rmbbenchmark_pairwise", "rmbbenchmark_bestofn"])
def test_rmb_is_not_called_rewardbench(format: str, converted: Any) -> None:
    assert [sample.source for sample in converted(format)] == [format]


def test_helpsteer3_scores_each_answer_from_its_own_side(converted: Any) -> None:
    """In the seed both answers carry the same score, so the worse one looks as good as the better one."""
    clear, even = converted("helpsteer3_preference")
    assert [output.answer.label["preference_score"] for output in clear.output] == [-3, 3]
    assert [output.answer.label["is_preferred"] for output in clear.output] == [False, True]
    assert [output.answer.label["is_preferred"] for output in even.output] == [False, False]


def test_helpsteer3_ties_are_not_turned_into_a_win(judged: Any) -> None:
    """The seed's Bradley-Terry data takes a tie for a win of B."""
    assert judged("helpsteer3_preference", Method.PAIRWISE)[1] == ("Hello!", "Hi!", 0.0, 0.0)


def test_helpsteer3_keeps_the_whole_conversation(converted: Any) -> None:
    assert [message.content for message in converted("helpsteer3_preference")[0].input] == [
        "Sort a list.",
        "Which one?",
        "Of numbers.",
    ]


def test_judgebench_says_the_truth_where_pairwise_training_looks(converted: Any) -> None:
    assert [sample.metadata["preferred"] for sample in converted("judgebench")] == ["A", "B"]


@pytest.mark.parametrize("format", ["helpsteer2_pairwise", "helpsteer3_preference", "rewardbench", "rmbench"])
def test_metadata_does_not_repeat_the_answers(format: str, converted: Any) -> None:
    for sample in converted(format):
        said = {output.answer.content for output in sample.output}
        assert not said & {value for value in sample.metadata.values() if isinstance(value, str)}
        assert not {"raw_data", "response_A", "response_B"} & sample.metadata.keys()


@pytest.mark.parametrize("format", ["helpsteer2_pointwise", "rewardbench", "judgebench", "data_sample"])
def test_a_row_that_is_none_is_refused_and_not_appended(format: str, converted: Any, source_of: Any) -> None:
    from rrm.datasets import converter_of

    with pytest.raises(RowRefused) as refused:
        converter_of(source_of(format)).convert(None)  # type: ignore[arg-type]
    assert (refused.value.reason, refused.value.found) == ("not a record", "NoneType None")


def test_a_bad_row_is_refused_with_words_and_not_turned_into_none(converted: Any) -> None:
    """The seed logs the error and returns None, which its loader then appends."""
    with pytest.raises(RowRefused, match="preference_strength: a whole number from -3 to 3, found str '2'"):
        converted(
            "helpsteer2_pairwise",
            {"prompt": "a", "response_1": "b", "response_2": "c", "preference_strength": "2"},
        )


@pytest.mark.parametrize(
    ("format", "row"),
    [
        (
            "judgebench",
            {"pair_id": "1", "question": "q", "response_A": "a", "response_B": "b", "label": "A>B"},
        ),
        (
            "helpsteer3_preference",
            {
                "context": [{"role": "user", "content": "q"}],
                "response1": "a",
                "response2": "b",
                "overall_preference": 1,
            },
        ),
        (
            "rmbbenchmark_bestofn",
            {
                "bon_uid": 3,
                "conversation_input": [{"role": "user", "content": "q"}],
                "bon_best": {"answer": "a"},
                "loser_list": [{"answer": "b"}],
            },
        ),
    ],
)
def test_no_prompt_column_is_needed_where_the_format_has_none(format: str, row: Any, converted: Any) -> None:
    assert len(converted(format, row)) == 1


def test_an_unknown_kind_of_row_has_a_converter(converted: Any) -> None:
    """The seed raises NotImplementedError for any source but the literal `*`."""
    (sample,) = converted("generic", {"question": "q", "completion": "a", "stars": 2}, label="stars")
    assert sample.output[0].answer.label == {"stars": 2}


def test_nothing_in_a_sample_depends_on_chance_or_time(converted: Any) -> None:
    """The seed's `data_group_id` is a random uuid, its `created_at` the time of the conversion."""
    for format in ("helpsteer2_pairwise", "ultrafeedback_pairwise"):
        assert [s.model_dump_json() for s in converted(format)] == [
            s.model_dump_json() for s in converted(format)
        ]
