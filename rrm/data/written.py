"""Writing prepared rows and reports: whole or not at all, and byte by byte the same for the same rows."""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rrm.data.rows import PreparedRow

SCHEMA = pa.schema(
    [
        ("row_id", pa.string()),
        ("prompt_group", pa.string()),
        ("data_source", pa.string()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("label", pa.float64()),
        ("scale_low", pa.float64()),
        ("scale_high", pa.float64()),
        ("prompt_tokens", pa.int32()),
    ]
)
"""Columns of the prepared files: what preparing writes and the trainer reads."""


def write_rows(path: Path, rows: Sequence[PreparedRow]) -> str:
    """Write rows as parquet and return the SHA-256 of the file."""
    records = [
        {
            "row_id": row.row_id,
            "prompt_group": row.candidate.group,
            "data_source": row.candidate.data_source,
            "messages": row.messages,
            "label": row.candidate.label,
            "scale_low": float(row.candidate.scale.low),
            "scale_high": float(row.candidate.scale.high),
            "prompt_tokens": row.prompt_tokens,
        }
        for row in rows
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records, schema=SCHEMA), sink)
    content = sink.getvalue().to_pybytes()
    _replace(path, content)
    return sha256(content).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    _replace(path, text.encode())


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
