"""Reading row files: `.json` (a list), `.jsonl`, `.parquet`, each also `.gz` and `.zst`, row after row.

A broken file is an error that names file and line, never a shorter data set. Only `.json` is read whole.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from rrm.data.packed import PACKED, opened, unpacked_name
from rrm.data.rows import Place, RawRow
from rrm.errors import DataInvalid

KINDS: Final = (".json", ".jsonl", ".parquet")
SUFFIXES: Final = (*KINDS, *(f"{kind}{packed}" for kind in KINDS for packed in PACKED))
_BATCH: Final = 256


def has_rows(name: str) -> bool:
    """Return whether a file name is one that rows are read from.

    >>> has_rows("train.jsonl.gz"), has_rows("README.md"), has_rows(".hidden.json")
    (True, False, False)
    """
    return name.endswith(SUFFIXES) and not name.startswith(".")


def row_files(folder: Path) -> list[Path]:
    """Return the row files below a folder, sorted; hidden files and folders are passed over."""
    return sorted(file for file in folder.rglob("*") if _is_shown(file, folder) and file.is_file())


def _is_shown(file: Path, below: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in file.relative_to(below).parts)
    return has_rows(file.name) and not is_hidden


def read_file(path: Path, source: str, name: str) -> Iterator[RawRow]:
    """Yield all rows of a file, in order.

    Args:
        path: The file.
        source: The source as the spec names it, for messages.
        name: The file's name inside the source, for messages.

    Raises:
        DataInvalid: If the file is empty, cut off or not of its kind; names file and line.
    """
    place = Place(source, name)
    kind = Path(unpacked_name(path.name)).suffix
    is_empty = True
    with opened(path, place, seekable=kind == ".parquet") as stream:
        for row in _rows(kind, stream, place):
            is_empty = False
            yield row
    if is_empty:
        raise DataInvalid(expected="at least one row", found="an empty file", where=str(place))


def _rows(kind: str, stream: BinaryIO, place: Place) -> Iterator[RawRow]:
    if kind == ".parquet":
        return _parquet_rows(stream, place)
    if kind == ".jsonl":
        return _json_lines(stream, place)
    return _json_list(stream, place)


def _json_lines(stream: BinaryIO, place: Place) -> Iterator[RawRow]:
    for number, line in enumerate(stream, start=1):
        here = Place(place.source, place.file, "line", number)
        text = _text(line, here)
        if text.strip():
            yield RawRow(_object(_parse(text, here), here), here)


def _json_list(stream: BinaryIO, place: Place) -> Iterator[RawRow]:
    text = _text(stream.read(), place)
    values = _parse(text, place) if text.strip() else []
    if isinstance(values, dict) and isinstance(values.get("datasamples"), list):
        values = values["datasamples"]  # RM-Gallery's own export of a whole data set
    if not isinstance(values, list):
        raise DataInvalid(
            expected="a JSON list of objects (one object per line is .jsonl)",
            found=type(values).__name__,
            where=str(place),
        )
    for number, value in enumerate(values, start=1):
        here = Place(place.source, place.file, "row", number)
        yield RawRow(_object(value, here), here)


def _parquet_rows(stream: BinaryIO, place: Place) -> Iterator[RawRow]:
    if stream.read(1) == b"":
        return
    stream.seek(0)
    for number, value in enumerate(_parquet_values(stream, place), start=1):
        yield RawRow(value, Place(place.source, place.file, "row", number))


def _parquet_values(stream: BinaryIO, place: Place) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(stream).iter_batches(batch_size=_BATCH, use_threads=False):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        found = str(error).splitlines()[0]
        raise DataInvalid(expected="a parquet file", found=found, where=str(place)) from error


def _text(raw: bytes, place: Place) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{raw[error.start]:02x} at position {error.start}"
        raise DataInvalid(expected="UTF-8 text", found=found, where=str(place)) from error


def _parse(text: str, place: Place) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        number = place.number if place.number is not None else error.lineno
        here = Place(place.source, place.file, "line", number)
        # Some of these messages end in "at", to be followed by the place.
        found = f"broken JSON: {error.msg.removesuffix(' at')} at column {error.colno}"
        raise DataInvalid(expected="valid JSON", found=found, where=str(here)) from error
    except ValueError as error:  # an integer of thousands of digits, which Python refuses to read
        raise DataInvalid(expected="valid JSON", found=str(error), where=str(place)) from error
    except RecursionError as error:
        raise DataInvalid(expected="a row", found="JSON nested too deeply", where=str(place)) from error


def _object(value: Any, place: Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataInvalid(expected="a JSON object", found=type(value).__name__, where=str(place))
    return value
