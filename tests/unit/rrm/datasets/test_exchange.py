"""Writing for RM-Gallery: its columns and fields exactly, ours beside them, and back again without loss."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from rrm.data.files import read_file
from rrm.datasets import data_sample
from rrm.datasets.exchange import EPOCH, Origin, write_samples
from rrm.errors import InvalidSpec
from rrm.row_id import prompt_group
from rrm.sample import DataSample

KINDS = ["parquet", "jsonl"]
CALM = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEVEN = ["unique_id", "input", "output", "task_category", "source", "created_at", "metadata"]
OURS = ["schema_version", "prompt_hash", "group_id", "split"]


class Strict(BaseModel):
    """RM-Gallery's models (rm-gallery 0.1.7, `core/data/schema.py`), field by field, forgiving nothing."""

    model_config = ConfigDict(extra="forbid", strict=False)


class Detail(Strict):
    name: str
    reason: str
    score: float


class Reward(Strict):
    score: float
    details: list[Detail]


class TheirMessage(Strict):
    role: Literal["system", "user", "assistant", "function"]
    name: str | None
    content: Any
    reasoning_content: Any
    tool_calls: list[dict[str, Any]] | None
    additional_kwargs: dict[str, Any]
    time_created: datetime


class TheirStep(TheirMessage):
    label: dict[str, Any] | None
    reward: Reward


class TheirOutput(Strict):
    answer: TheirStep
    steps: list[TheirStep] | None


class TheirSample(BaseModel):
    unique_id: str
    input: list[TheirMessage]
    output: list[TheirOutput]
    task_category: str | None
    source: str | None
    created_at: datetime
    metadata: dict[str, Any] | None


def raw(path: Path) -> list[dict[str, Any]]:
    return [dict(row.values) for row in read_file(path, "test", path.name)]


def read(path: Path) -> list[DataSample]:
    return [sample for row in raw(path) for sample in data_sample.convert(row)]


TEXT = st.text(min_size=1, max_size=20).filter(str.strip)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
RECORD = st.dictionaries(TEXT, JSON, max_size=3)
STEP = st.fixed_dictionaries({"content": TEXT}, optional={"label": st.none() | RECORD, "name": TEXT})
SAMPLES = st.fixed_dictionaries(
    {
        "unique_id": TEXT,
        "input": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": TEXT}),
            min_size=1,
            max_size=3,
        ),
        "output": st.lists(
            st.fixed_dictionaries({"answer": STEP}, optional={"steps": st.lists(STEP, max_size=2)}),
            max_size=3,
        ),
    },
    optional={
        "source": st.none() | TEXT,
        "task_category": TEXT,
        "metadata": st.none() | RECORD,
        "created_at": st.datetimes(min_value=datetime(1900, 1, 1)),
        "split": TEXT,
    },
).map(DataSample.model_validate)


@pytest.mark.parametrize("kind", KINDS)
@CALM
@given(samples=st.lists(SAMPLES, min_size=1, max_size=4))
def test_what_is_written_is_read_back(
    kind: str, samples: list[DataSample], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("there-and-back")
    first, second = folder / f"first.{kind}", folder / f"second.{kind}"
    assert write_samples(first, samples) == len(samples)
    back = read(first)
    assert [without_times(sample) for sample in back] == [without_times(sample) for sample in samples]
    write_samples(second, back)
    assert raw(second) == raw(first)


def without_times(sample: DataSample) -> Any:
    """Return a sample without when it and its messages were made: absent before writing, filled in after."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            made = ("created_at", "time_created")
            return {key: bare(each) for key, each in value.items() if key not in made}
        return [bare(each) for each in value] if isinstance(value, list | tuple) else value

    return bare(sample.model_dump())


@pytest.mark.parametrize(
    "format", ["helpsteer2_pairwise", "prmbench", "ultrafeedback_pairwise", "data_sample"]
)
def test_a_line_is_what_the_seeds_own_models_take(format: str, converted: Any, tmp_path: Path) -> None:
    write_samples(tmp_path / "rows.jsonl", converted(format))
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    theirs = [TheirSample.model_validate(line) for line in lines]
    assert [sample.unique_id for sample in theirs] == [sample.unique_id for sample in converted(format)]


@pytest.mark.parametrize("format", ["helpsteer2_pointwise", "judgebench", "data_sample"])
def test_parquet_has_the_seeds_columns_and_then_ours(format: str, converted: Any, tmp_path: Path) -> None:
    write_samples(tmp_path / "rows.parquet", converted(format), Origin(split="train"))
    schema = pq.read_schema(tmp_path / "rows.parquet")
    assert schema.names == SEVEN + OURS
    assert {name: str(schema.field(name).type) for name in SEVEN} == dict.fromkeys(SEVEN, "string") | {
        "created_at": "timestamp[us]"
    }
    for row in raw(tmp_path / "rows.parquet"):
        parts = {name: json.loads(row[name]) for name in ("input", "output", "metadata") if row[name]}
        TheirSample.model_validate({"metadata": None} | {name: row[name] for name in SEVEN} | parts)
        assert (row["schema_version"], row["split"]) == (1, "train")


def test_our_columns_keep_a_pair_and_its_other_order_together(converted: Any, tmp_path: Path) -> None:
    write_samples(tmp_path / "rows.parquet", converted("helpsteer2_pairwise"))
    rows = raw(tmp_path / "rows.parquet")
    assert [row["prompt_hash"] for row in rows] == [
        prompt_group(q) for q in ("c#", "c#", "Name a prime.", "name a prime.")
    ]
    assert rows[0]["group_id"] == rows[1]["group_id"] != rows[2]["group_id"] == rows[3]["group_id"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_samples_give_the_same_bytes(kind: str, converted: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_samples(tmp_path / f"{name}.{kind}", converted("helpsteer2_pointwise"))
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert {row["created_at"] for row in raw(tmp_path / f"one.{kind}")} <= {EPOCH, EPOCH.isoformat()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_keeps_its_own_time_and_part(kind: str, converted: Any, tmp_path: Path) -> None:
    (sample,) = converted("generic", {"prompt": "q", "response": "a"})
    own = data_sample.convert(sample.model_dump(mode="json") | {"split": "val", "created_at": "2024-01-02"})
    origin = Origin(created_at=datetime(2026, 5, 6), split="train")
    write_samples(tmp_path / f"rows.{kind}", [*own, sample], origin)
    assert [(s.created_at, s.split) for s in read(tmp_path / f"rows.{kind}")] == [  # type: ignore[attr-defined]
        (datetime(2024, 1, 2), "val"),
        (datetime(2026, 5, 6), "train"),
    ]


def test_half_a_surrogate_pair_in_metadata_does_not_stop_the_file(tmp_path: Path, converted: Any) -> None:
    (sample,) = converted("generic", {"prompt": "q", "response": "a"})
    odd = sample.model_copy(update={"metadata": {"x": "\ud800", "when": datetime(2024, 1, 1), "set": {1}}})
    for kind in KINDS:
        write_samples(tmp_path / f"rows.{kind}", [odd])
        (back,) = read(tmp_path / f"rows.{kind}")
        assert back.metadata == {"x": "\ud800", "when": "2024-01-01T00:00:00", "set": "{1}"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_written_whole_or_not_at_all(kind: str, tmp_path: Path, converted: Any) -> None:
    path = tmp_path / f"rows.{kind}"
    path.write_text("before")

    def broken() -> Any:
        yield from converted("llmbar")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_samples(path, broken())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"a name that ends in \.parquet or \.jsonl, found rows.csv"):
        write_samples(tmp_path / "rows.csv", [])
