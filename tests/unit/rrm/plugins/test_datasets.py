"""Datasets written for RM-Gallery and OpenJudge: told by their hooks, fed with files of their shape."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rrm.plugins.datasets import is_upstream_dataset, missing_hooks, reads_nested
from rrm.plugins.upstream_files import write_upstream_parquet

SAMPLES = [
    {
        "unique_id": "1",
        "input": [{"role": "user", "content": "Hi ü", "additional_kwargs": {}}],
        "output": [
            {"answer": {"content": "a", "label": {"helpfulness": 3}, "tool_calls": None}, "steps": []}
        ],
        "metadata": {"preferred": "A"},
        "source": "s",
    },
    {"unique_id": "2", "input": [], "output": [], "metadata": None, "extra": 1},
]


class RMGallery(ABC):
    @abstractmethod
    def _build_messages(self, example: Any) -> Any: ...

    @abstractmethod
    def _apply_chat_template(self, messages: Any) -> Any: ...

    @abstractmethod
    def _extract_ground_truth(self, row: Any) -> Any: ...

    @abstractmethod
    def _get_data_source(self, row: Any) -> Any: ...


class AsPrinted(RMGallery):
    def _build_messages(self, example: Any) -> Any: ...


class OpenJudge:
    def _build_messages(self, example: Any) -> Any: ...

    def _format_template(self, messages: Any, example: Any) -> Any: ...

    def _extract_ground_truth(self, row: Any) -> Any: ...


@pytest.mark.parametrize(
    ("thing", "is_one", "is_nested"),
    [
        (AsPrinted, True, False),
        (RMGallery, True, False),
        (OpenJudge, True, True),
        (type("Half", (), {"_build_messages": print, "_extract_ground_truth": print}), False, False),
        (dict, False, False),
    ],
)
def test_a_dataset_is_told_by_its_hooks(thing: Any, is_one: bool, is_nested: bool) -> None:
    assert is_upstream_dataset(thing) is is_one
    assert reads_nested(thing) is is_nested


def test_an_object_is_no_dataset_class() -> None:
    assert not is_upstream_dataset(OpenJudge())


def test_hooks_that_are_still_to_be_written_are_named() -> None:
    assert missing_hooks(AsPrinted) == ["_apply_chat_template", "_extract_ground_truth", "_get_data_source"]
    assert missing_hooks(OpenJudge) == []


def test_rm_gallery_reads_its_parts_as_json_texts(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    write_upstream_parquet(file, [json.dumps(sample) for sample in SAMPLES], is_nested=False)
    first, second = pq.read_table(file).to_pylist()
    for name in ("input", "output", "metadata"):
        assert json.loads(first[name]) == SAMPLES[0][name]
    assert "ü" in first["input"]
    assert (first["source"], first["extra"]) == ("s", None)
    assert (second["input"], second["metadata"], second["extra"]) == ("[]", None, 1)


def test_openjudge_reads_its_parts_as_records_without_what_is_nowhere_filled(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    write_upstream_parquet(file, [json.dumps(sample) for sample in SAMPLES], is_nested=True)
    first, second = pq.read_table(file).to_pylist()
    assert first["input"] == [{"role": "user", "content": "Hi ü"}]
    assert first["output"][0]["answer"]["label"] == {"helpfulness": 3}
    assert json.loads(first["metadata"]) == {"preferred": "A"}
    assert second["unique_id"] == "2"
    assert not second["input"]
