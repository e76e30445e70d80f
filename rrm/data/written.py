"""Writing prepared rows and reports: whole or not at all, and byte by byte the same for the same rows."""

import json
import os
from collections.abc import Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rrm.data.rows import PreparedRow
from rrm.errors import DataInvalid

TRAIN_FILE = "train.parquet"
VALIDATION_FILE = "validation.parquet"
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


def write_rows(path: Path, rows: Sequence[PreparedRow]) -> None:
    """Write rows as parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([_record(row) for row in rows], schema=SCHEMA), sink)
    _replace(path, sink.getvalue().to_pybytes())


def _record(row: PreparedRow) -> dict[str, Any]:
    return {
        "row_id": row.row_id,
        "prompt_group": row.candidate.group,
        "data_source": row.candidate.data_source,
        "messages": row.messages,
        "label": row.candidate.label,
        "scale_low": float(row.candidate.scale.low),
        "scale_high": float(row.candidate.scale.high),
        "prompt_tokens": row.prompt_tokens,
    }


def digest_of_content(*parts: Sequence[PreparedRow]) -> str:
    """Return the digest of what rows say.

    Unlike that of their files it outlives a new image: a parquet file names the version that wrote it.
    """
    digest = sha256()
    for part in parts:
        for row in part:
            digest.update(json.dumps(_record(row), sort_keys=True).encode() + b"\n")
        digest.update(b"\n")
    return "sha256:" + digest.hexdigest()


def digest_of_rows(folder: Path) -> str:
    """Return the digest of the prepared rows in a folder: that of both files' SHA-256.

    Raises:
        FileNotFoundError: If one of the files is not there.
    """
    digests = []
    for name in (TRAIN_FILE, VALIDATION_FILE):
        with (folder / name).open("rb") as stream:
            digests.append(file_digest(stream, "sha256").hexdigest())
    return "sha256:" + sha256("\n".join(digests).encode()).hexdigest()


def require_rows_of(folder: Path, digest: str) -> None:
    """Return if the prepared rows in a folder are those of a digest.

    Raises:
        DataInvalid: If they are others, or not there.
    """
    try:
        found = digest_of_rows(folder)
    except FileNotFoundError as error:
        found = f"no {Path(error.filename).name}"
    if found != digest:
        raise DataInvalid(
            expected=f"the prepared rows {digest}",
            found=found,
            where=str(folder),
            do="they changed after they were prepared; run `rrm prepare` again, in Kubernetes delete "
            "and create the training",
        )


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
