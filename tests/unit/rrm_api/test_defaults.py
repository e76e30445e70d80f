"""What a digest leaves out may never change: a new operator would begin every running training anew.

A digest holds only what differs from a default. New fields may come: write them down with
`UPDATE_GOLDEN=1 pytest tests/unit/rrm_api/test_defaults.py`, which never changes one that is there.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rrm_api import group
from rrm_api.run import RunFile

GOLDEN = Path(__file__).parents[2] / f"golden/defaults/{group.VERSION}.json"


def defaults() -> dict[str, Any]:
    schema = RunFile.model_json_schema()
    return dict(_walk(schema, schema["$defs"], ""))


def _walk(schema: dict[str, Any], named: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    if "$ref" in schema:
        schema = {**named[schema["$ref"].rpartition("/")[2]], **schema}
    if "default" in schema:
        yield path, schema["default"]
    for name, member in schema.get("properties", {}).items():
        yield from _walk(member, named, f"{path}.{name}".lstrip("."))
    for each in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(each, dict):
            yield from _walk(each, named, f"{path}[]")
    for either in schema.get("anyOf", []):
        yield from _walk(either, named, path)


def frozen() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("UPDATE_GOLDEN"):
        known = {**defaults(), **known}
        GOLDEN.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    return known


def test_a_default_of_this_version_of_the_api_never_changes() -> None:
    now = defaults()
    changed = {path: (was, now.get(path, "gone")) for path, was in frozen().items()}
    assert {path: pair for path, pair in changed.items() if pair[0] != pair[1]} == {}


def test_every_default_is_written_down_so_that_it_cannot_change_later() -> None:
    assert defaults().keys() - frozen().keys() == set()
