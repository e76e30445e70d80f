"""Writing prepared rows and reports: whole or not at all, and byte by byte the same for the same rows."""

import json
import os
from collections.abc import Iterable, Iterator
from hashlib import file_digest, sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from rrm.data.batches import batched
from rrm.errors import DataInvalid

if TYPE_CHECKING:
    from hashlib import _Hash

TRAIN_FILE: Final = "train.parquet"
VALIDATION_FILE: Final = "validation.parquet"
TEST_FILE: Final = "test.parquet"
_MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCHEMA: Final = pa.schema(
    [
        ("row_id", pa.string()),
        ("prompt_group", pa.string()),
        ("pair_id", pa.string()),
        ("data_source", pa.string()),
        ("messages", _MESSAGES),
        ("messages_swapped", _MESSAGES),
        ("label", pa.float64()),
        ("strength", pa.float64()),
        ("scale_low", pa.float64()),
        ("scale_high", pa.float64()),
        ("prompt_tokens", pa.int32()),
        ("sample", pa.string()),
    ]
)
"""Columns of the prepared files: what preparing writes and the trainer reads.

`pair_id` is null for single answers, `messages_swapped` where each prompt asks about one order only, `sample`
where nothing is the user's own: neither template nor reward nor format.
"""
_ROW_GROUP: Final = 2048


def write_rows(path: Path, records: Iterable[dict[str, Any]], digest: "_Hash") -> None:
    """Write records as parquet, a few at a time, and add what they say to a digest.

    Unlike that of the file the digest outlives a new image: parquet names the version that wrote it.
    """
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for batch in batched(_digested(records, digest), _ROW_GROUP):
            writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
    digest.update(b"\n")


def _digested(records: Iterable[dict[str, Any]], digest: "_Hash") -> Iterator[dict[str, Any]]:
    for record in records:
        digest.update(json.dumps(record, sort_keys=True).encode() + b"\n")
        yield record


def publish(files: Iterable[Path], folder: Path) -> None:
    """Move finished files into the training's data folder, where no others of them stay."""
    folder.mkdir(parents=True, exist_ok=True)
    names = set()
    for file in files:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        file.replace(folder / file.name)
        names.add(file.name)
    for name in {TRAIN_FILE, VALIDATION_FILE, TEST_FILE} - names:
        (folder / name).unlink(missing_ok=True)


def digest_of_rows(folder: Path) -> str:
    """Return the digest of the prepared rows in a folder: that of its files' SHA-256.

    Raises:
        FileNotFoundError: If the training or validation rows are not there.
    """
    test = [TEST_FILE] if (folder / TEST_FILE).exists() else []
    digests = []
    for name in chain((TRAIN_FILE, VALIDATION_FILE), test):
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
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
