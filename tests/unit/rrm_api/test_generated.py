"""The generated files are what the API says, small enough for `kubectl apply`, and bounded."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rrm_api.fields import ApiModel
from rrm_api.structural import UnknownKeyword, structural_schema

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "crds/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date(generate: ModuleType) -> None:
    assert generate.main(["--check"]) == 0


def test_a_stale_file_is_named_and_fails(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    stale = {path: text + "# edited by hand\n" for path, text in generate.generated_files().items()}
    monkeypatch.setattr(generate, "generated_files", lambda: stale)
    assert generate.main(["--check"]) == 1
    assert "crds/reference.md is not what the API says; run `make generate`" in capsys.readouterr().err


def test_every_string_and_list_of_the_spec_is_bounded(generate: ModuleType) -> None:
    schema = generate.custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert list(_unbounded(schema["properties"]["spec"], "spec")) == []


def _unbounded(schema: dict[str, Any], path: str) -> list[str]:
    found = []
    if schema.get("type") == "string" and not {"maxLength", "enum"} & schema.keys():
        found.append(path)
    if schema.get("type") == "array" and "maxItems" not in schema:
        found.append(path)
    for name, member in schema.get("properties", {}).items():
        found += _unbounded(member, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            found += _unbounded(schema[inner], f"{path}[]")
    return found


def test_a_union_is_refused_because_a_structural_schema_cannot_say_it() -> None:
    class Either(ApiModel):
        value: int | str

    with pytest.raises(UnknownKeyword, match="anyOf"):
        structural_schema(Either)
