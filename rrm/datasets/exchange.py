"""Writing samples for RM-Gallery and for us: parquet in its columns and ours, or one full record per line.

The same samples give the same bytes: times are those of the samples, or a given one, never the clock's.
`rrm.datasets.data_sample` reads both back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rrm.datasets.data_sample import MADE, SAID
from rrm.errors import InvalidSpec
from rrm.row_id import prompt_group
from rrm.sample import ChatMessage, DataOutput, DataSample

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION: Final = 1
EPOCH: Final = datetime(1970, 1, 1)
"""Stands where a sample does not say when it was made."""
KINDS: Final = (".parquet", ".jsonl")
_BATCH: Final = 4096


@dataclass(frozen=True)
class Origin:
    """What is written beside samples that do not say it themselves.

    Attributes:
        created_at: When they were made; in UTC, without a zone.
        split: Part that they belong to; None = none.
    """

    created_at: datetime = EPOCH
    split: str | None = None


def write_samples(path: Path, samples: Iterable[DataSample], origin: Origin = Origin()) -> int:
    """Write samples whole or not at all, and return how many.

    Args:
        path: Ends in .parquet or .jsonl.
        samples: What to write.
        origin: What the samples do not say themselves.

    Raises:
        InvalidSpec: If the path ends otherwise.
    """
    if path.suffix not in KINDS:
        raise InvalidSpec(f"{path}: expected a name that ends in {' or '.join(KINDS)}, found {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        write = _write_parquet if path.suffix == ".parquet" else _write_lines
        written = write(partial, samples, origin)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return written


def full_record(sample: DataSample, origin: Origin = Origin()) -> dict[str, Any]:
    """Return a sample as RM-Gallery's `DataSample.model_dump` has it: every field, defaults included."""
    made = (sample.model_extra or {}).get(MADE) or origin.created_at
    extras = {name: value for name, value in (sample.model_extra or {}).items() if name != MADE}
    return {
        "unique_id": sample.unique_id,
        "input": [_message(each, made) for each in sample.input],
        "output": [_output(each, made) for each in sample.output],
        "task_category": sample.task_category,
        "source": sample.source,
        MADE: made,
        "metadata": sample.metadata,
        **extras,
    }


def _message(said: ChatMessage, made: datetime) -> dict[str, Any]:
    fields = said.model_dump()
    return {
        "role": fields.pop("role").value,
        "name": None,
        "content": fields.pop("content"),
        "reasoning_content": "",
        "tool_calls": None,
        "additional_kwargs": {},
        SAID: made,
        **fields,
    }


def _output(output: DataOutput, made: datetime) -> dict[str, Any]:
    steps = None if output.steps is None else [_step(each, made) for each in output.steps]
    return {"answer": _step(output.answer, made), "steps": steps, **(output.model_extra or {})}


def _step(step: ChatMessage, made: datetime) -> dict[str, Any]:
    return {"reward": {"score": 0.0, "details": []}, **_message(step, made)}


def _write_lines(path: Path, samples: Iterable[DataSample], origin: Origin) -> int:
    written = 0
    with path.open("w", encoding="utf-8") as stream:
        for sample in samples:
            ours = {} if _split(sample, origin) is None else {"split": _split(sample, origin)}
            stream.write(_json({**full_record(sample, origin), **ours, **_ours(sample)}) + "\n")
            written += 1
    return written


def _write_parquet(path: Path, samples: Iterable[DataSample], origin: Origin) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, written = _schema(), 0
    with pq.ParquetWriter(path, schema) as writer:
        rest = iter(samples)
        while rows := [_parquet_row(sample, origin) for sample in islice(rest, _BATCH)]:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            written += len(rows)
    return written


def _schema() -> "pa.Schema":
    """Return RM-Gallery's seven columns as its own export types them, then ours."""
    import pyarrow as pa

    return pa.schema(
        [
            ("unique_id", pa.string()),
            ("input", pa.string()),
            ("output", pa.string()),
            ("task_category", pa.string()),
            ("source", pa.string()),
            (MADE, pa.timestamp("us")),
            ("metadata", pa.string()),
            ("schema_version", pa.int32()),
            ("prompt_hash", pa.string()),
            ("group_id", pa.string()),
            ("split", pa.string()),
        ]
    )


def _parquet_row(sample: DataSample, origin: Origin) -> dict[str, Any]:
    fields = full_record(sample, origin)
    return {
        **fields,
        **{name: _json(fields[name]) for name in ("input", "output")},
        "metadata": None if sample.metadata is None else _json(sample.metadata),
        "split": _split(sample, origin),
        **_ours(sample),
    }


def _ours(sample: DataSample) -> dict[str, Any]:
    """Return our own columns: rows with the same `group_id` must stay on one side of a split."""
    prompt = prompt_group(*(said.content for said in sample.input))
    group = (sample.metadata or {}).get("data_group_id")
    return {
        "schema_version": SCHEMA_VERSION,
        "prompt_hash": prompt,
        "group_id": group if isinstance(group, str) else prompt,
    }


def _split(sample: DataSample, origin: Origin) -> str | None:
    own = (sample.model_extra or {}).get("split")
    return own if isinstance(own, str) else origin.split


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, default=_as_text)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair in a field that nobody reads
        return json.dumps(value, default=_as_text)
    return text


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
