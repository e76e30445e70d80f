"""Faithful rows of every format, and short views of what became of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rrm.datasets import converter_of, judge, label_of, scale_of
from rrm.sample import DataSample
from rrm_api.spec_data import DataFormat, Source
from rrm_api.spec_train import Method

ROWS = Path(__file__).parents[3] / "data"


@pytest.fixture(scope="session")
def lines() -> Callable[[str], list[dict[str, Any]]]:
    """Return a reader of a JSONL file below `tests/data`."""

    def read(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (ROWS / name).read_text(encoding="utf-8").splitlines()]

    return read


@pytest.fixture(scope="session")
def source_of() -> Callable[..., Source]:
    """Return a maker of sources; a custom one has an entry point."""

    def make(format: DataFormat | str, **fields: Any) -> Source:
        own = {"entry_point": "math:sqrt"} if format == DataFormat.CUSTOM else {}
        return Source.model_validate({"format": format, "uri": "pvc://demo/rows", **own, **fields})

    return make


@pytest.fixture(scope="session")
def converted(lines: Any, source_of: Any) -> Callable[..., list[DataSample]]:
    """Return a converter of a format's faithful rows, or of one given row."""

    def convert(format: str, row: Any = None, **fields: Any) -> list[DataSample]:
        rows = lines(f"formats/{format}.jsonl") if row is None else [row]
        converter = converter_of(source_of(format, **fields))
        return [sample for each in rows for sample in converter.convert(each)]

    return convert


@pytest.fixture(scope="session")
def judged(converted: Any, source_of: Any) -> Callable[..., list[tuple[Any, ...]]]:
    """Return a view of what is judged: answers, truth and, for a pair, strength to two places."""

    def view(format: str, method: Method, row: Any = None, **fields: Any) -> list[tuple[Any, ...]]:
        source = source_of(format, **fields)
        label, scale = label_of(source), scale_of(source, method)
        seen = []
        for sample in converted(format, row, **fields):
            for one in judge(sample, method=method, label=label, scale=scale):
                answers = tuple(output.answer.content for output in one.sample.output)
                pair = (round(one.strength, 2),) if method is Method.PAIRWISE else ()
                seen.append((*answers, one.label, *pair))
        return seen

    return view
