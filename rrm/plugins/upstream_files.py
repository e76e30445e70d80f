"""Samples as the parquet files that datasets of RM-Gallery (JSON texts) and OpenJudge (nested) read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_TEXTS: Final = ("input", "output", "metadata")
_EMPTY: Final[tuple[Any, ...]] = ({}, [])


def write_upstream_parquet(path: Path, samples: Sequence[str], *, is_nested: bool) -> None:
    """Write samples, one row each, in their order.

    Args:
        path: The file.
        samples: Each as JSON in RM-Gallery's shape.
        is_nested: Whether `input` and `output` are columns of records instead of JSON texts. `metadata` stays
            a text: its keys differ from row to row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("metadata",) if is_nested else _TEXTS
    rows = [_row(json.loads(sample), texts) for sample in samples]
    pq.write_table(pa.Table.from_pylist(_same_keys(rows)), path)


def _row(sample: dict[str, Any], texts: Sequence[str]) -> dict[str, Any]:
    as_texts = {
        name: json.dumps(sample[name], ensure_ascii=False) for name in texts if sample.get(name) is not None
    }
    return {**(sample if texts == _TEXTS else _without_empty(sample)), **as_texts}


def _without_empty(value: Any) -> Any:
    """Return a value without empty records and lists: parquet has no type for what is nowhere filled."""
    if isinstance(value, dict):
        kept = {name: _without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in _EMPTY}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value]
    return value


def _same_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]
