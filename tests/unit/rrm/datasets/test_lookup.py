"""From a source to its converter, label and scale."""

from typing import Any

import pytest

from rrm.datasets import converter_of, label_of, scale_of
from rrm.errors import InvalidSpec
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import DataFormat
from rrm_api.spec_train import Method


@pytest.mark.parametrize(
    ("format", "fields", "label", "scale"),
    [
        ("helpsteer2_pointwise", {}, "helpfulness", Scale(0, 4)),
        ("helpsteer2_pointwise", {"label": "verbosity"}, "verbosity", Scale(0, 4)),
        ("ultrafeedback_pointwise", {}, "helpfulness", Scale(1, 5)),
        ("ultrafeedback_pointwise", {"label": "overall_score"}, "overall_score", Scale(1, 10)),
        ("generic", {"label": "stars", "scale": {"low": 1, "high": 5}}, "stars", Scale(1, 5)),
        ("generic", {"scale": {"low": 0, "high": 1}}, "label", Scale(0, 1)),
        ("data_sample", {"scale": {"low": 0, "high": 4}}, "helpfulness", Scale(0, 4)),
        ("custom", {"label": "own", "scale": {"low": 0, "high": 9}}, "own", Scale(0, 9)),
        ("helpsteer2_pointwise", {"scale": {"low": 0, "high": 3}}, "helpfulness", Scale(0, 3)),
    ],
)
def test_label_and_scale_of_single_answers(
    format: str, fields: dict[str, Any], label: str, scale: Scale, source_of: Any
) -> None:
    source = source_of(format, **fields)
    assert (label_of(source), scale_of(source, Method.POINTWISE)) == (label, scale)


@pytest.mark.parametrize("format", list(DataFormat))
def test_pairs_are_judged_from_minus_one_to_one(format: DataFormat, source_of: Any) -> None:
    assert scale_of(source_of(format), Method.PAIRWISE) == PREFERENCE


@pytest.mark.parametrize("format", ["generic", "data_sample", "chat_message", "custom"])
def test_a_scale_that_nobody_says_is_asked_for(format: str, source_of: Any) -> None:
    with pytest.raises(InvalidSpec, match="set the source's scale to its low and high"):
        scale_of(source_of(format), Method.POINTWISE)


@pytest.mark.parametrize("format", ["judgebench", "helpsteer2_pairwise", "ultrafeedback_pairwise"])
def test_pairs_hold_no_scores(format: str, source_of: Any) -> None:
    with pytest.raises(InvalidSpec, match="expected the method Pairwise, found Pointwise"):
        scale_of(source_of(format), Method.POINTWISE)


@pytest.mark.parametrize(
    ("format", "label"),
    [
        ("helpsteer2_pointwise", "fun"),
        ("ultrafeedback_pointwise", "fine_grained_score"),
        ("judgebench", "helpfulness"),
    ],
)
def test_a_label_that_the_format_does_not_have_is_refused(format: str, label: str, source_of: Any) -> None:
    with pytest.raises(InvalidSpec, match=f"expected a label of the format {format} .*, found {label}"):
        label_of(source_of(format, label=label))


def test_a_mean_may_be_compared_but_not_predicted(source_of: Any) -> None:
    assert label_of(source_of("ultrafeedback_pairwise")) == "fine_grained_score"
    assert "fine_grained_score" not in converter_of(source_of("ultrafeedback_pointwise")).labels


def test_metrics_of_formats_are_kept_apart(source_of: Any) -> None:
    names = [converter_of(source_of(format)).data_source for format in DataFormat]
    assert len(set(names)) == len(names)
