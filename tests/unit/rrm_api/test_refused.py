"""The Python twin of every rule refuses what the API server refuses, with the same words."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from rrm_api.v1alpha1 import parse_training
from rrm_test_cluster.patches import merge_patch

ROOT = Path(__file__).parents[3]
CASES = yaml.safe_load((ROOT / "tests/cases/refused.yaml").read_text(encoding="utf-8"))
EXAMPLES = sorted((ROOT / "crds/examples").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_python_refuses(case: dict[str, Any]) -> None:
    base = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
    with pytest.raises(ValidationError) as refusal:
        parse_training(merge_patch(base, case["patch"]))
    assert case.get("says", case.get("python")) in str(refusal.value)


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_is_accepted(example: Path) -> None:
    manifest = yaml.safe_load(example.read_text(encoding="utf-8"))
    assert parse_training(manifest).metadata.name == manifest["metadata"]["name"]


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_editor_finds_no_fault_in_any_example_and_one_in_a_wrong_type(example: Path) -> None:
    (schema,) = (ROOT / "crds/schema").glob("*.json")
    editor = jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))
    manifest = yaml.safe_load(example.read_text(encoding="utf-8"))
    assert list(editor.iter_errors(manifest)) == []
    wrong = merge_patch(manifest, {"spec": {"workers": {"nodes": "two"}}})
    assert [list(error.absolute_path) for error in editor.iter_errors(wrong)] == [
        ["spec", "workers", "nodes"]
    ]


def test_the_full_example_uses_every_field_of_the_spec() -> None:
    from rrm_api.structural import structural_schema
    from rrm_api.v1alpha1 import RewardModelTrainingSpec

    spec = yaml.safe_load((ROOT / "crds/examples/full.yaml").read_text(encoding="utf-8"))["spec"]
    # One-of members stand in comments: a document cannot hold both.
    alternatives = {
        *(f"reward.{kind}" for kind in ("linear", "exact", "signed", "pairwise", "entryPoint")),
        *("plugins.claimName", "plugins.path", "template.entryPoint"),
        *("data.validation.fraction", "checkpoints.volume.claimName"),
        "scheduling.topology.preferred",
    }
    assert set(_absent(structural_schema(RewardModelTrainingSpec), spec, "")) == alternatives


SHOWN_ELSEWHERE = (
    "head.",
    "jobs.",
    "env.value",
    "workers.tolerations.",
    "data.validation.sources.",
    "data.test.",
    "data.decontaminate.",
)
"""The same knobs as elsewhere in the document, or one of two."""


def _absent(schema: dict[str, Any], value: Any, path: str) -> list[str]:
    if "items" in schema and isinstance(value, list):
        per_item = [set(_absent(schema["items"], item, path)) for item in value]
        return sorted(set.intersection(*per_item)) if per_item else []
    missing: list[str] = []
    for name, member in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        if here.startswith(SHOWN_ELSEWHERE):
            continue
        if name not in value:
            missing.append(here)
        else:
            missing += _absent(member, value[name], here)
    return missing
