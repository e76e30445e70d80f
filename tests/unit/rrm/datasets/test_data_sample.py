"""RM-Gallery's own rows in all shapes that it writes."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrm.data.files import read_file
from rrm.datasets import data_sample, judge
from rrm.datasets.refusal import RowRefused
from rrm.scales import Scale
from rrm_api.spec_train import Method


def row(**changes: Any) -> dict[str, Any]:
    return {
        "unique_id": "1",
        "input": [{"role": "user", "content": "c#"}],
        "output": [{"answer": {"role": "assistant", "content": "A language.", "label": {"helpfulness": 3}}}],
    } | changes


def strings(whole: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the parquet export has it."""
    names = [name for name in ("input", "output", "metadata") if whole.get(name) is not None]
    return whole | {name: json.dumps(whole[name]) for name in names}


def test_parts_as_strings_of_json_are_the_same_sample(converted: Any) -> None:
    whole = row(metadata={"preferred": "A"})
    assert converted("data_sample", strings(whole)) == converted("data_sample", whole)


def test_a_whole_exported_set_is_all_its_samples(converted: Any) -> None:
    ids = [
        sample.unique_id for sample in converted("data_sample", {"datasamples": [row(), row(unique_id="2")]})
    ]
    assert ids == ["1", "2"]


def test_defaults_are_left_out_and_what_was_paid_is_kept(converted: Any) -> None:
    plain, pair, *_ = converted("data_sample")
    assert plain.output[0].answer.model_extra.keys() == {"time_created"}
    assert pair.output[0].answer.model_extra["reward"]["score"] == 0.5
    assert pair.created_at == datetime(2025, 6, 16, 9)


def test_a_message_without_role_and_content_is_the_users_as_in_the_seed(converted: Any) -> None:
    (sample,) = converted("data_sample", row(input=[{"content": "c#"}, {"role": "assistant"}]))
    assert [(said.role, said.content) for said in sample.input] == [("user", "c#"), ("assistant", "")]


def test_what_nothing_here_reads_is_kept(converted: Any) -> None:
    (sample,) = converted("data_sample", row(own={"x": 1}, created_at=None, split=None, prompt_hash="5"))
    assert sample.model_extra == {"own": {"x": 1}}


@pytest.mark.parametrize(
    ("made", "time"),
    [
        ("2025-11-11 10:00:00.000123", datetime(2025, 11, 11, 10, 0, 0, 123)),
        ("2025-11-11T10:00:00Z", datetime(2025, 11, 11, 10)),
        ("2025-11-11T10:00:00+02:00", datetime(2025, 11, 11, 8)),
        (datetime(2025, 11, 11), datetime(2025, 11, 11)),
    ],
)
def test_times_are_read_as_the_seed_writes_them(made: Any, time: datetime, converted: Any) -> None:
    assert converted("data_sample", row(created_at=made))[0].created_at == time


ANSWER = {"role": "assistant", "content": "A language."}


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"unique_id": None}, "unique_id is not text", "found NoneType None"),
        ({"input": "[{"}, "broken JSON", "input: valid JSON"),
        ({"input": "[" * 100_000}, "broken JSON", "input: valid JSON"),
        ({"input": "{}"}, "wrong type", "input: a list of 1 or more, found dict {}"),
        ({"input": [{"role": "bot", "content": "x"}]}, "unknown role", "found str 'bot'"),
        ({"input": [{"role": "user", "content": ""}]}, "empty input", "input: some text"),
        ({"output": None}, "wrong type", "output: a list, found NoneType None"),
        ({"output": [{}]}, "wrong type", "output: a record of answer"),
        ({"output": [{"answer": {"role": "user"}}]}, "wrong type", "answer: a record of content"),
        ({"output": [{"answer": ANSWER | {"content": ["x"]}}]}, "answer is not text", "found list ['x']"),
        ({"output": [{"answer": ANSWER | {"role": "bot"}}]}, "unknown role", "found str 'bot'"),
        ({"output": [{"answer": ANSWER | {"label": 3}}]}, "not a sample", "output.0.answer.label"),
        ({"output": [{"answer": ANSWER, "steps": [{"content": ""}]}]}, "empty step", "step: some text"),
        ({"metadata": "[]"}, "not a sample", "metadata: as RM-Gallery's DataSample has it"),
        ({"source": 5}, "not a sample", "source: as RM-Gallery's DataSample has it"),
        ({"created_at": "yesterday"}, "wrong type", "created_at: a time as ISO 8601 writes it"),
        ({"created_at": 5}, "wrong type", "found int 5"),
        ({"output": [{"answer": ANSWER | {"time_created": "?"}}]}, "wrong type", "time_created: a time"),
        ({"datasamples": 1}, "wrong type", "datasamples: a list"),
        ({"datasamples": [1]}, "not a record", "a record of columns, found int 1"),
    ],
)
def test_what_is_no_sample_is_refused(
    changes: dict[str, Any], reason: str, words: str, converted: Any
) -> None:
    with pytest.raises(RowRefused) as refused:
        converted("data_sample", row(**changes))
    assert refused.value.reason == reason
    assert words in str(refused.value)


def test_a_row_without_its_parts_is_refused(converted: Any) -> None:
    with pytest.raises(RowRefused, match="the columns input, output, unique_id, found no input, output"):
        converted("data_sample", {"unique_id": "1"})


def test_nested_parquet_is_read_too_where_rows_share_one_label_type(tmp_path: Path) -> None:
    """OpenJudge ships it; in such a file each row has every label of any row, null where it has none."""
    other = {"role": "assistant", "content": "A note.", "label": {"verbosity": 1}}
    rows = [row(), row(unique_id="2", output=[{"answer": other}])]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    read = [data_sample.convert(raw.values)[0] for raw in read_file(tmp_path / "rows.parquet", "t", "rows")]
    assert [sample.unique_id for sample in read] == ["1", "2"]
    (judged,) = judge(read[1], method=Method.POINTWISE, label="verbosity", scale=Scale(0, 4))
    assert judged.label == 1.0
    with pytest.raises(RowRefused, match="answers rated in verbosity"):
        judge(read[0], method=Method.POINTWISE, label="verbosity", scale=Scale(0, 4))
