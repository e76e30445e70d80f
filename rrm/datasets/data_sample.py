"""RM-Gallery's own rows: `DataSample` as a record, or with its parts as strings of JSON.

One row of a JSONL export, shortened (a parquet row has `input`, `output` and `metadata` as strings of JSON):
    {"unique_id": "5f0c...", "input": [{"role": "user", "name": null, "content": "c#",
       "reasoning_content": "", "tool_calls": null, "additional_kwargs": {},
       "time_created": "2025-06-16T09:00:00"}],
     "output": [{"answer": {"role": "assistant", "content": "C# is ...", "label": {"helpfulness": 3},
       "reward": {"score": 0.0, "details": []}, ...}, "steps": null}], "task_category": "chat",
     "source": "helpsteer2", "created_at": "2025-06-16T09:00:00", "metadata": {"preferred": "A"}}
A row with `datasamples` is a whole exported set. What has its default value is left out, everything else that
nothing here reads is kept, so that writing it again (`rrm.datasets.exchange`) loses nothing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from rrm.datasets.fields import (
    WRONG_TYPE,
    Row,
    as_text,
    conversation,
    items,
    record,
    require_columns,
    require_speaker,
)
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import DataSample

COLUMNS: Final = ("unique_id", "input", "output")
MADE: Final = "created_at"
SAID: Final = "time_created"
OUR_COLUMNS: Final = ("schema_version", "prompt_hash", "group_id")
"""Columns that follow from the sample; writing computes them again."""
_DEFAULTS: Final[Mapping[str, Any]] = {
    "name": None,
    "reasoning_content": "",
    "tool_calls": None,
    "additional_kwargs": {},
    "reward": {"score": 0.0, "details": []},
    SAID: None,
}


def convert(row: Row) -> list[DataSample]:
    """Return the sample of a row, or all samples of an exported set.

    Raises:
        RowRefused: If a column is missing, not of its type, or no valid JSON.
    """
    require_columns(row, ())
    if "datasamples" in row:
        return [_sample(each) for each in items(row["datasamples"], "datasamples", least=0)]
    return [_sample(row)]


def _sample(row: Any) -> DataSample:
    require_columns(row, COLUMNS)
    dropped = {*OUR_COLUMNS, *(name for name in (MADE, "split") if row.get(name) is None)}
    fields = {name: value for name, value in row.items() if name not in dropped}
    fields["unique_id"] = as_text(row["unique_id"], "unique_id")
    fields["input"] = _input(_decoded(row["input"], "input"))
    fields["output"] = [_output(each) for each in items(_decoded(row["output"], "output"), "output", least=0)]
    fields["metadata"] = _decoded(row.get("metadata"), "metadata")
    if MADE in fields:
        fields[MADE] = as_time(fields[MADE], MADE)
    try:
        return DataSample.model_validate(fields)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise RowRefused(
            "not a sample", expected=f"{place}: as RM-Gallery's DataSample has it", found=fault["msg"]
        ) from None


def _decoded(value: Any, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise RowRefused("broken JSON", expected=f"{name}: valid JSON", found=f"{error}") from None


def _input(value: Any) -> list[dict[str, Any]]:
    turns = items(value, "input")
    filled = [{"role": "user", "content": "", **record(turn, "input", ())} for turn in turns]
    conversation(filled, "input")
    return [_without_defaults(turn) for turn in filled]


def _output(value: Any) -> dict[str, Any]:
    fields = dict(record(value, "output", ("answer",)))
    fields["answer"] = _step(fields["answer"], "answer")
    if fields.get("steps") is not None:
        fields["steps"] = [_step(each, "step") for each in items(fields["steps"], "steps", least=0)]
    return fields


def _step(value: Any, name: str) -> dict[str, Any]:
    fields = _without_defaults(record(value, name, ("content",)))
    as_text(fields["content"], name)
    if "role" in fields:
        require_speaker(fields["role"])
    return fields


def _without_defaults(fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in fields.items()
        if name not in _DEFAULTS or (value is not None and value != _DEFAULTS[name])
    }
    if SAID in kept:
        kept[SAID] = as_time(kept[SAID], SAID)
    return kept


def as_time(value: Any, name: str) -> datetime:
    """Return a time of RM-Gallery's files: ISO 8601 text or a timestamp; in UTC, without a zone.

    Raises:
        RowRefused: If it is neither.

    >>> as_time("2025-06-16T11:00:00+02:00", "created_at")
    datetime.datetime(2025, 6, 16, 9, 0)
    """
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(time, datetime):
            return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo is not None else time
    except (ValueError, OverflowError):
        pass
    raise RowRefused(WRONG_TYPE, expected=f"{name}: a time as ISO 8601 writes it", found=shown(value))
