"""`floors.parquet` beside the prepared rows: what each surface floor says about each validation row."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rrm.judge.surface import Guess

FLOORS_FILE: Final = "floors.parquet"
Guesses = dict[str, dict[str, Guess]]
"""Floor -> row id -> what it says."""


def write_guesses(path: Path, guesses: Iterable[Guess]) -> None:
    """Write guesses such that a reader never sees half a file; same guesses, same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("floor", pa.string()),
            ("row_id", pa.string()),
            ("score", pa.float64()),
            ("verdict", pa.int32()),
            ("reward", pa.float64()),
        ]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    pq.write_table(pa.Table.from_pylist([asdict(guess) for guess in guesses], schema=schema), partial)
    partial.replace(path)


def read_guesses(path: Path) -> Guesses:
    """Return what was written; nothing if there is no such file, as beside rows of an earlier version."""
    import pyarrow.parquet as pq

    guesses: Guesses = {}
    if path.is_file():
        for row in pq.read_table(path).to_pylist():
            guesses.setdefault(row["floor"], {})[row["row_id"]] = Guess(**row)
    return guesses
