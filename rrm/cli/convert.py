"""`rrm convert`: published rows of any known format into RM-Gallery's shape, as parquet or JSON lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from rrm.data.files import SUFFIXES, has_rows, read_file, row_files
from rrm.data.rows import Place, RawRow
from rrm.data.validate import samples_of
from rrm.datasets import converter_of, label_of
from rrm.datasets.converter import Converter
from rrm.datasets.exchange import Origin, write_samples
from rrm.datasets.refusal import RowRefused
from rrm.errors import DataInvalid, InvalidSpec, VolumeUnavailable
from rrm.sample import DataSample
from rrm_api.run import ExitCode
from rrm_api.spec_data import DataFormat, Source

_NO_URI = "pvc://local/rows"
"""Files are given on the command line; a source wants to know where it is all the same."""


@dataclass
class Count:
    """What became of the rows: how many were read, and refusals by reason with the first example of each."""

    rows: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    first: tuple[RowRefused, Place] | None = None

    def refuse(self, refusal: RowRefused, place: Place) -> None:
        """Count a row that could not be converted."""
        self.refused[refusal.reason] = self.refused.get(refusal.reason, 0) + 1
        self.examples.setdefault(refusal.reason, f"{place}: {refusal}")
        self.first = self.first or (refusal, place)


def convert(
    inputs: Annotated[list[Path], typer.Argument(help="Files, or folders that are read recursively")],
    output: Annotated[Path, typer.Argument(help="What to write: a .parquet or a .jsonl file")],
    format: Annotated[DataFormat, typer.Option(help="What the rows are")],
    label: Annotated[
        str | None, typer.Option(help="Column of the label, for generic and chat_message")
    ] = None,
    entry_point: Annotated[str | None, typer.Option(help="package.module:name, for custom")] = None,
    split: Annotated[str | None, typer.Option(help="Part the rows belong to, such as train")] = None,
    max_invalid: Annotated[
        float, typer.Option(min=0, max=1, help="Largest share of rows that may be refused")
    ] = 0.01,
) -> int:
    """Convert rows of a known format to RM-Gallery's shape."""
    source = _source(format, label=label, entry_point=entry_point)
    label_of(source)  # refused before anything is read
    files = _files(inputs, output)
    count = Count()
    samples = _samples(files, converter_of(source), count, max_invalid)
    try:
        written = write_samples(output, samples, Origin(split=split))
    except OSError as error:
        raise VolumeUnavailable(
            f"{output}: expected files that can be read and room to write, found {error}; nothing was written"
        ) from error
    typer.echo(f"wrote {written} samples of {count.rows} rows to {output}")
    for reason, rows in sorted(count.refused.items()):
        typer.echo(f"refused {rows}: {reason}; the first is {count.examples[reason]}")
    return int(ExitCode.DONE)


def _source(format: DataFormat, *, label: str | None, entry_point: str | None) -> Source:
    try:
        return Source(format=format, label=label, entry_point=entry_point, uri=_NO_URI)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "options"
        raise InvalidSpec(f"{where}: {fault['msg'].removeprefix('Value error, ')}") from error


def _files(inputs: Sequence[Path], output: Path) -> list[Path]:
    files = [file for given in inputs for file in _below(given)]
    if output.resolve() in {file.resolve() for file in files}:
        raise InvalidSpec(f"{output}: expected a file that is not read too, found one of the inputs")
    return files


def _below(given: Path) -> list[Path]:
    if given.is_file():
        if not has_rows(given.name):
            raise DataInvalid(
                expected=f"a file that ends in {', '.join(SUFFIXES)}", found=given.name, where=str(given)
            )
        return [given]
    files = row_files(given)
    if not files:
        found = "a folder without any" if given.is_dir() else "nothing of that name"
        raise DataInvalid(expected="a file of rows, or a folder of such files", found=found, where=str(given))
    return files


def _samples(
    files: Sequence[Path], converter: Converter, count: Count, max_invalid: float
) -> Iterator[DataSample]:
    for file in files:
        for row in read_file(file, str(file.parent), file.name):
            count.rows += 1
            yield from _converted(row, converter, count)
    _require_mostly_valid(count, max_invalid)


def _converted(row: RawRow, converter: Converter, count: Count) -> list[DataSample]:
    try:
        return samples_of(row, converter)
    except RowRefused as refusal:
        count.refuse(refusal, row.place)
        return []


def _require_mostly_valid(count: Count, allowed: float) -> None:
    refused = sum(count.refused.values())
    if count.first is None or (refused <= allowed * count.rows and refused < count.rows):
        return
    refusal, place = count.first
    raise DataInvalid(
        expected=refusal.expected,
        found=refusal.found,
        where=str(place),
        do=f"{refused} of {count.rows} rows are refused, --max-invalid allows {allowed:.4g} of them; "
        "nothing was written",
    )
