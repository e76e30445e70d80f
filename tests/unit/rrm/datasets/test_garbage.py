"""Whatever JSON can say: a row becomes samples or is refused, and nothing else ever happens."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rrm.datasets import converter_of, judge
from rrm.datasets.refusal import RowRefused
from rrm.sample import DataSample
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import DataFormat
from rrm_api.spec_train import Method

WORDS = [
    "",
    " ",
    "a",
    "A",
    "tie",
    "N/A",
    "5",
    "chosen",
    "A>B",
    "user",
    "\ud800",
    "[1",
    "{}",
    '[{"content": 1}]',
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -100, 0, 1, 3])
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=5)
)
KEYS = st.sampled_from(
    ["role", "content", "answer", "label", "preference", "preferred", "metadata", "steps", "Rating"]
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)
FORMATS = sorted(format.value for format in DataFormat)
CALM = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every field and item below a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in ((*way, key), *places(each, (*way, key)))]


def replaced(row: Any, way: tuple[Any, ...], value: Any) -> Any:
    copy = deepcopy(row)
    place = copy
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return copy


def convert_and_judge(format: str, row: Any, source_of: Any) -> None:
    """Convert a row and judge what it became, both ways; only refusals may come of it."""
    try:
        samples = converter_of(source_of(format)).convert(row)
    except RowRefused:
        return
    for sample in samples:
        assert isinstance(sample, DataSample)
        for method, scale in ((Method.POINTWISE, Scale(0, 4)), (Method.PAIRWISE, PREFERENCE)):
            try:
                judged = judge(sample, method=method, label="helpfulness", scale=scale)
            except RowRefused:
                continue
            assert all(one.label in scale and 0 <= one.strength <= 1 for one in judged)


@pytest.mark.parametrize("format", FORMATS)
@CALM
@given(row=JSON)
def test_any_value_is_converted_or_refused(format: str, row: Any, source_of: Any) -> None:
    convert_and_judge(format, row, source_of)


@pytest.mark.parametrize("format", FORMATS)
@CALM
@given(data=st.data(), value=JSON)
def test_a_good_row_with_one_bad_field_is_converted_or_refused(
    format: str, data: st.DataObject, value: Any, lines: Any, source_of: Any
) -> None:
    row = data.draw(st.sampled_from(lines(f"formats/{format}.jsonl")))
    way = data.draw(st.sampled_from(places(row)))
    convert_and_judge(format, replaced(row, way, value), source_of)


@CALM
@given(labels=st.lists(st.dictionaries(st.sampled_from(["preference", "is_preferred", "helpfulness"]), JSON)))
def test_any_labels_are_judged_or_refused(labels: list[Any], source_of: Any) -> None:
    row = {
        "unique_id": "1",
        "input": [{"role": "user", "content": "q"}],
        "output": [{"answer": {"content": "a", "label": label}} for label in labels],
    }
    convert_and_judge("data_sample", row, source_of)


@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize("format", FORMATS)
def test_a_deep_row_is_refused(format: str, depth: int, lines: Any, source_of: Any) -> None:
    deep: Any = []
    for _ in range(depth):
        deep = [deep]
    row = lines(f"formats/{format}.jsonl")[0]
    for key in row:
        convert_and_judge(format, row | {key: deep}, source_of)
