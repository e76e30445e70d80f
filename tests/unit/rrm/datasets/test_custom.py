"""A user's own converter: functions and classes, what they may return, and what becomes of their faults."""

import sys
from pathlib import Path
from typing import Any

import pytest

from rrm.datasets import converter_of
from rrm.datasets.refusal import RowRefused
from rrm.errors import PluginFailed
from rrm.sample import DataSample

PLUGIN = """
from pydantic import BaseModel
from rrm.datasets.refusal import RowRefused
from rrm.sample import DataSample

def record(row):
    return {
        "unique_id": row["q"],
        "input": [{"content": row["q"]}],
        "output": [{"answer": {"content": row["a"], "label": {"stars": row["stars"]}}}],
    }

def sample(row): return DataSample.model_validate(record(row))
def several(row): return [record(row), sample(row)]
def none(row): return []
def nothing(row): return None
def number(row): return 5
def refusing(row): raise RowRefused("too old", expected="a new row", found="an old one")
def leaving(row): raise SystemExit(3)
def broken(row): return record(row) | {"input": "x["}

class Theirs(BaseModel):
    unique_id: str
    input: list[dict]
    output: list[dict]

def theirs(row): return Theirs(**record(row))

class Converter:
    def __init__(self, config=None): self.config = config or {}
    def convert_to_data_sample(self, data_dict, source_info):
        assert source_info == {}
        return record(data_dict)

class Short:
    def convert_to_data_sample(self, row): return record(row)

ready = Short()

class Demanding:
    def __init__(self, config): pass
    def convert_to_data_sample(self, row): return record(row)

class NoConverter: pass

class Abstract(Converter):
    def __init__(self): raise ValueError("not today")

constant = 5
"""
ROW = {"q": "Name a prime.", "a": "7", "stars": 5}


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source_of: Any) -> Any:
    """Return a caller of one of the plug-in's converters."""
    (tmp_path / "own_rows.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_rows", raising=False)

    def call(name: str, row: Any = ROW) -> list[DataSample]:
        return converter_of(source_of("custom", entry_point=f"own_rows:{name}")).convert(row)

    return call


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("record", 1),
        ("sample", 1),
        ("several", 2),
        ("none", 0),
        ("theirs", 1),
        ("Converter", 1),
        ("Short", 1),
        ("ready", 1),
    ],
)
def test_functions_and_classes_convert(name: str, samples: int, convert: Any) -> None:
    made = convert(name)
    assert len(made) == samples
    for sample in made:
        assert sample.input[0].content == "Name a prime."
        assert sample.output[0].answer.label == {"stars": 5}


@pytest.mark.parametrize(
    ("name", "row", "reason", "words"),
    [
        ("nothing", ROW, "converter returned nothing", "a sample or a list, found None"),
        ("number", ROW, "wrong type", "a record of the same shape, found int 5"),
        ("refusing", ROW, "too old", "expected a new row, found an old one"),
        ("leaving", ROW, "converter raised", "exit(3)"),
        ("broken", ROW, "broken JSON", "input: valid JSON"),
        ("record", {"q": "x"}, "converter raised", "own_rows:record to convert the row, found KeyError: 'a'"),
        ("Converter", None, "converter raised", "TypeError"),
    ],
)
def test_faults_are_refusals_that_are_counted(
    name: str, row: Any, reason: str, words: str, convert: Any
) -> None:
    with pytest.raises(RowRefused) as refused:
        convert(name, row)
    assert refused.value.reason == reason
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent", "has no absent"),
        ("NoConverter", "the class has no method convert_to_data_sample"),
        ("Demanding", "a converter is made without arguments"),
        ("Abstract", "ValueError: not today"),
        ("constant", "expected a function or a class with convert_to_data_sample, found int"),
    ],
)
def test_what_is_no_converter_fails_as_a_plugin(name: str, words: str, convert: Any) -> None:
    with pytest.raises(PluginFailed) as failed:
        convert(name)
    assert words in str(failed.value)
    assert f"source.entryPoint own_rows:{name}" in str(failed.value)


def test_a_converter_is_imported_with_its_first_row_and_once(convert: Any, source_of: Any) -> None:
    converter = converter_of(source_of("custom", entry_point="own_rows:record"))
    assert "own_rows" not in sys.modules
    converter.convert(ROW)
    module = sys.modules.pop("own_rows")
    converter.convert(ROW)
    assert "own_rows" not in sys.modules
    assert module.record
