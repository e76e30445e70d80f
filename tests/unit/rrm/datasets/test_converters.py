"""What each format's faithful rows become: samples in RM-Gallery's shape, and what is judged of them."""

from typing import Any

import pytest

from rrm.datasets import _CONVERTERS, converter_of
from rrm.datasets.refusal import RowRefused
from rrm_api.spec_data import DataFormat
from rrm_api.spec_train import Method

POINTWISE, PAIRWISE = Method.POINTWISE, Method.PAIRWISE

SAMPLES = {
    "helpsteer2_pointwise": [("helpsteer2", "chat", 1, 1)] * 3,
    "helpsteer2_pairwise": [("helpsteer2_pairwise", "chat_pairwise", 1, 2)] * 4,
    "helpsteer3_preference": [
        ("helpsteer3_preference", "chat_preference", 3, 2),
        ("helpsteer3_preference", "chat_preference", 1, 2),
    ],
    "ultrafeedback_pointwise": [("ultrafeedback", "chat", 1, 1)] * 4,
    "ultrafeedback_pairwise": [("ultrafeedback", "chat", 1, 4)],
    "rewardbench": [("rewardbench", "conversation", 1, 2), ("rewardbench", "conversation", 3, 2)],
    "rewardbench2": [("rewardbench2", "conversation", 1, 4), ("rewardbench2", "conversation", 1, 3)],
    "rmbench": [("rmbench", "conversation", 1, 6)],
    "rmbbenchmark_pairwise": [("rmbbenchmark_pairwise", "conversation", 3, 2)],
    "rmbbenchmark_bestofn": [("rmbbenchmark_bestofn", "conversation", 1, 3)],
    "judgebench": [("judgebench", "pairwise_comparison", 1, 2)] * 2,
    "prmbench": [("prmbench", "circular", 1, 2), ("prmbench", "multi_solutions", 1, 2)],
    "pandalm": [("pandalm", "instruction_following", 1, 2)] * 2,
    "llmbar": [("llmbar", "instruction_following", 1, 2)] * 2,
    "autoj": [("autoj", "seeking_advice", 1, 2)] * 3,
    "chat_message": [("chat_message", "chat", 2, 1), ("chat_message", "chat", 2, 0)],
    "generic": [("generic", "chat", 1, 1), ("generic", "chat", 1, 1), ("chat_message", "chat", 1, 1)],
    "data_sample": [
        ("helpsteer2", "chat", 1, 1),
        ("helpsteer2_pairwise", "chat", 1, 2),
        ("helpsteer2_pairwise", "chat", 1, 2),
        ("openjudge", None, 1, 2),
        ("helpsteer2", "chat", 1, 1),
    ],
}
"""Source, task category, messages, answers."""

JUDGED: dict[tuple[str, Method], list[tuple[Any, ...]]] = {
    ("helpsteer2_pointwise", POINTWISE): [
        ("C# is a language by Microsoft.", 3.0),
        ("7", 4.0),
        ("Eight.", 0.0),
    ],
    ("helpsteer2_pairwise", PAIRWISE): [
        ("C# is a language.", "A musical note, half a step above C.", -1.0, 0.67),
        ("A musical note, half a step above C.", "C# is a language.", 1.0, 0.67),
        ("7", "11", 0.0, 0.0),
        ("11", "7", 0.0, 0.0),
    ],
    ("helpsteer3_preference", PAIRWISE): [
        ("bubble(x)", "sorted(x)", 1.0, 1.0),
        ("Hello!", "Hi!", 0.0, 0.0),
    ],
    ("ultrafeedback_pointwise", POINTWISE): [
        ("8", 2.0),
        ("7", 5.0),
        ("2 is one.", 4.0),
        ("A prime is 13.", 4.0),
    ],
    ("ultrafeedback_pairwise", PAIRWISE): [("8", "7", 1.0, 0.81)],
    ("rewardbench", PAIRWISE): [("7", "8", -1.0, 1.0), ("11", "12", -1.0, 1.0)],
    ("rewardbench2", PAIRWISE): [
        ("7", "8", -1.0, 1.0),
        ("7", "9", -1.0, 1.0),
        ("7", "10", -1.0, 1.0),
        ("Red.", "Brown.", -1.0, 1.0),
        ("Blue.", "Brown.", -1.0, 1.0),
    ],
    ("rmbench", PAIRWISE): [
        (right, wrong, -1.0, 1.0)
        for right in ("7", "A prime is 7.", "**7** is a prime.")
        for wrong in ("8", "A prime is 8.", "**8** is a prime.")
    ],
    ("rmbbenchmark_pairwise", PAIRWISE): [("7", "8", -1.0, 1.0)],
    ("rmbbenchmark_bestofn", PAIRWISE): [("7", "8", -1.0, 1.0), ("7", "9", -1.0, 1.0)],
    ("judgebench", PAIRWISE): [("42", "48", -1.0, 1.0), ("48", "49", 1.0, 1.0)],
    ("prmbench", PAIRWISE): [
        (
            "1. 3p + e = 1.24.\n2. 5p + e = 1.82.\n3. So p = 0.29.",
            "1. 3p + e = 1.24.\n2. Assume p = 0.29.\n3. So p = 0.29.",
            -1.0,
            1.0,
        ),
        ("1. 2 + 2 = 4.", "1. 2 * 2 = 4.\n2. So 4.", 0.0, 1.0),
    ],
    ("pandalm", PAIRWISE): [
        ("If you have questions, please let me know.", "Questions? Ask me.", 1.0, 0.67),
        ("7", "11", 0.0, 1.0),
    ],
    ("llmbar", PAIRWISE): [("8", "7", 1.0, 1.0), ("2", "4", -1.0, 1.0)],
    ("autoj", PAIRWISE): [("Ask people you know.", "Write to companies.", n, 1.0) for n in (-1.0, 1.0, 0.0)],
}


@pytest.mark.parametrize("format", SAMPLES)
def test_rows_become_samples_in_the_seeds_shape(format: str, converted: Any) -> None:
    shapes = [
        (sample.source, sample.task_category, len(sample.input), len(sample.output))
        for sample in converted(format)
    ]
    assert shapes == SAMPLES[format]


@pytest.mark.parametrize(("format", "method"), JUDGED, ids=lambda value: str(value))
def test_samples_are_judged_in_the_sources_order(format: str, method: Method, judged: Any) -> None:
    assert judged(format, method) == JUDGED[format, method]


def test_every_format_is_in_the_tables(source_of: Any) -> None:
    assert {*SAMPLES, "custom"} == {format.value for format in DataFormat}
    rated = {"chat_message", "generic", "data_sample", "custom"}
    assert {format for format, _ in JUDGED} == {*SAMPLES} - rated
    assert all(converter_of(source_of(format)) for format in DataFormat)
    assert len(_CONVERTERS) == len(DataFormat) - 3


@pytest.mark.parametrize("format", SAMPLES)
def test_ids_are_the_same_each_time_and_differ_within_a_format(format: str, converted: Any) -> None:
    ids = [sample.unique_id for sample in converted(format)]
    assert ids == [sample.unique_id for sample in converted(format)]
    if format != "data_sample":  # its last row repeats its first, as a whole set
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("format", "number", "label"),
    [
        ("helpsteer2_pairwise", 0, [{"response_type": "A"}, {"response_type": "B"}]),
        (
            "rmbbenchmark_pairwise",
            0,
            [
                {"preference": "chosen", "type": "chosen", "model": "m1"},
                {"preference": "rejected", "type": "reject", "model": "m2"},
            ],
        ),
        ("rewardbench2", 1, [{"preference": "chosen"}] * 2 + [{"preference": "rejected"}]),
        ("prmbench", 0, [{"process_type": "original_correct"}, {"process_type": "modified_with_errors"}]),
        (
            "ultrafeedback_pointwise",
            3,
            [
                {
                    "helpfulness": 4,
                    "instruction_following": 5,
                    "truthfulness": 5,
                    "overall_score": 8.0,
                    "fine_grained_score": 4.6666665,
                    "model": "bard",
                }
            ],
        ),
        ("chat_message", 0, [{"label": 4}]),
        ("generic", 1, [{}]),
    ],
)
def test_labels_are_the_seeds(format: str, number: int, label: Any, converted: Any) -> None:
    assert [output.answer.label for output in converted(format)[number].output] == label


@pytest.mark.parametrize(
    ("format", "number", "metadata"),
    [
        (
            "helpsteer2_pairwise",
            1,
            {"preferred": "B", "sample_type": "swapped_order", "preference_strength": -2, "split": "train"},
        ),
        ("helpsteer3_preference", 0, {"preferred": "B", "domain": "code", "sample_type": "original_order"}),
        ("rmbench", 0, {"subset": "chat"}),
        ("judgebench", 1, {"label": "B>A", "preferred": "B", "original_source": "livebench-reasoning"}),
        ("prmbench", 0, {"preferred": "A", "error_steps": [2, 3], "classification": "circular"}),
        ("autoj", 2, {"preferred": "tie"}),
    ],
)
def test_metadata_holds_what_the_seed_reads(
    format: str, number: int, metadata: dict[str, Any], converted: Any
) -> None:
    assert converted(format)[number].metadata.items() >= metadata.items()


def test_an_answer_that_nobody_rated_has_no_label(converted: Any, judged: Any) -> None:
    completion = {
        "response": "7",
        "annotations": {"honesty": {"Rating": "N/A"}, "helpfulness": {"Rating": "5"}},
    }
    row = {"instruction": "Name a prime.", "completions": [completion]}
    (sample,) = converted("ultrafeedback_pointwise", row)
    assert sample.output[0].answer.label == {"helpfulness": 5}
    assert judged("ultrafeedback_pointwise", POINTWISE, row) == [("7", 5.0)]
    with pytest.raises(RowRefused, match="answers rated in honesty, found answers with helpfulness"):
        judged("ultrafeedback_pointwise", POINTWISE, row, label="honesty")


def test_half_points_are_no_scores(judged: Any) -> None:
    with pytest.raises(RowRefused, match=r"a whole number from 1 to 10, found float 7\.5"):
        judged("ultrafeedback_pointwise", POINTWISE, label="overall_score")


def test_both_orders_of_a_pair_share_a_group(converted: Any) -> None:
    groups = [sample.metadata["data_group_id"] for sample in converted("helpsteer2_pairwise")]
    assert groups[0] == groups[1] != groups[2] == groups[3]


def test_steps_say_which_of_them_are_wrong(converted: Any) -> None:
    right, wrong = converted("prmbench")[0].output
    assert [step.label["correctness"] for step in right.steps] == ["correct"] * 3
    assert [step.label["correctness"] for step in wrong.steps] == ["correct", "error", "error"]


def test_an_instruction_and_its_input_are_one_question(converted: Any) -> None:
    asked = [sample.input[0].content for sample in converted("pandalm")]
    assert asked == [
        "Make it shorter.\n\nIf you have any questions, please do let me know.",
        "Name a prime.",
    ]


def test_a_conversation_that_ends_without_an_answer_is_all_question(converted: Any) -> None:
    answered, open_ended = converted("chat_message")
    assert [message.role for message in answered.input] == ["system", "user"]
    assert [message.content for message in open_ended.input] == ["Hi", "Hello?"]
    assert open_ended.output == ()
