"""Anything may stand in the JSON files of a training, and the report is still written."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rrm.report.write import write_report

RECORDED = Path(__file__).parents[3] / "data" / "recorded_run" / "tiny-judge"
FILES = [
    "data/data.json", "validations.json", "attempt-2/heartbeat.json", "attempt-2/versions.json",
    "attempt-2/ending.json", "attempt-2/progress.jsonl", "attempt-2/metrics.jsonl",
]  # fmt: skip
ODD = st.sampled_from([None, 3, -1e308, float("nan"), "x", True, [], [1], {}, {"a": 1}, {"a": {"b": []}}])


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a document."""
    inside = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [path, *(place for key, value in inside for place in places(value, (*path, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return document


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("odd") / "tiny-judge"
    shutil.copytree(RECORDED, root)
    (
        root / "attempt-1" / "validation-0.parquet"
    ).unlink()  # no lift: its bootstrap is not what is tested here
    return root


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_odd_value_anywhere_never_keeps_the_report_from_being_written(
    name: str, training: Path, data: st.DataObject
) -> None:
    path = training / name
    text = path.read_text(encoding="utf-8")
    *lines, last = text.rstrip("\n").split("\n") if name.endswith("jsonl") else [text]
    document = json.loads(last)
    odd = replaced(document, data.draw(st.sampled_from(places(document))), data.draw(ODD))
    try:
        path.write_text("\n".join([*lines, json.dumps(odd)]) + "\n", encoding="utf-8")
        page = write_report(training, training / "report.html", now="2026-03-01T12:00:00Z").page
        assert "Validation reward" in page.read_text(encoding="utf-8")
    finally:
        path.write_text(text, encoding="utf-8")
