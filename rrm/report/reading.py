"""Reading what a training left behind, where any file may be missing, half written or of another version."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


@dataclass
class Gaps:
    """What a report must do without: collected while reading, each said once, in the order of discovery.

    Attributes:
        root: Folder of the training; paths are said as they lie in it.
        found: Sentences for people.
    """

    root: Path
    found: list[str] = field(default_factory=list)

    def note(self, path: Path, trouble: str, lost: str) -> None:
        """Say which file gives what trouble, and what is therefore not shown."""
        inside = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        self.say(f"{inside}: {trouble}; not shown: {lost}")

    def say(self, sentence: str) -> None:
        """Say something that concerns no single file."""
        if sentence not in self.found:
            self.found.append(sentence)


def read_json(path: Path, gaps: Gaps, *, lost: str) -> Row:
    """Return a JSON object; an absent or broken one is noted and empty."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        gaps.note(path, "not there", lost)
        return {}
    except (OSError, ValueError) as error:
        gaps.note(path, f"not readable ({error})", lost)
        return {}
    if not isinstance(document, dict):
        gaps.note(path, f"expected a JSON object, found {type(document).__name__}", lost)
        return {}
    return document


def read_lines(path: Path, gaps: Gaps, *, lost: str) -> list[Row]:
    """Return the objects of a JSON-lines file; a last line without its end is still being written."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        gaps.note(path, "not there", lost)
        return []
    except OSError as error:
        gaps.note(path, f"not readable ({error})", lost)
        return []
    rows, broken = [], 0
    for line in text.rpartition("\n")[0].splitlines():
        row = _object(line)
        if row is not None:
            rows.append(row)
        elif line.strip():
            broken += 1
    if broken:
        gaps.note(path, f"{broken} lines are no JSON objects", "what they held")
    return rows


def _object(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def read_table(path: Path, gaps: Gaps, *, columns: Sequence[str], lost: str) -> pa.Table | None:
    """Return those of the columns that a parquet file has; None if it cannot be read."""
    try:
        present = pq.read_schema(path).names
        table = pq.read_table(path, columns=[name for name in columns if name in present])
    except FileNotFoundError:
        gaps.note(path, "not there", lost)
        return None
    except (OSError, pa.ArrowInvalid) as error:
        gaps.note(path, f"no readable parquet ({str(error).splitlines()[0]})", lost)
        return None
    return table


def rows_at(table: pa.Table, places: Sequence[int]) -> list[Row]:
    """Return the rows of a table at some places."""
    # Typed: of an empty list Arrow would make the type null, which it cannot take by.
    rows: list[Row] = table.take(pa.array(places, type=pa.int64())).to_pylist()
    return rows


def numbers_in(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the finite numbers of an object by name.

    >>> list(numbers_in({"reward": 1, "kl": float("nan"), "name": "x", "is_best": True}))
    [('reward', 1.0)]
    """
    for name, value in row.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)


def objects_in(value: Any) -> list[Row]:
    """Return the objects in a list; of anything else none.

    >>> objects_in([{"a": 1}, 2]), objects_in(None)
    ([{'a': 1}], [])
    """
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def whole_number(value: Any) -> int | None:
    """Return a value as a whole number; None if it is none.

    >>> whole_number("12"), whole_number(3.0), whole_number(None), whole_number("x")
    (12, 3, None, None)
    """
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
