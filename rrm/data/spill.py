"""Texts of rows wait in a file, not in memory, until it is known which rows are wanted in which order."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Self

from rrm_api.run import Layout


class Spill:
    """A file of JSON records, written once from front to back and then read in any order."""

    def __init__(self, path: Path) -> None:
        """Start an empty file."""
        self._path = path
        self._end = 0
        self._written: BinaryIO = path.open("wb")
        self._read: BinaryIO | None = None

    def append(self, record: Mapping[str, Any]) -> int:
        """Write a record and return where it starts, in bytes."""
        at = self._end
        self._end += self._written.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        return at

    def record(self, at: int) -> dict[str, Any]:
        """Return the record that starts at a place; all have been written by then."""
        if self._read is None:
            self._written.flush()
            self._read = self._path.open("rb")
        self._read.seek(at)
        record: dict[str, Any] = json.loads(self._read.readline())
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._written.close()
        if self._read is not None:
            self._read.close()


@contextmanager
def workplace(layout: Layout) -> Iterator[Path]:
    """Lend a folder on the training's volume for what is not finished; nothing of it is left.

    It lies beside the training's folder, as that is touched only once the rows are known to be its own. What
    a killed predecessor left there is removed first.
    """
    folder = layout.volume / f".{layout.training}.preparing"
    missing = [path for path in (folder.parent, *folder.parent.parents) if not path.exists()]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        for path in missing:  # innermost first: only those that were made here and hold nothing
            if any(path.iterdir()):
                break
            path.rmdir()
