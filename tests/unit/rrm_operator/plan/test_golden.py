"""All that is planned in the life of each example, as YAML that a person reviews like product output.

`UPDATE_GOLDEN=1 pytest tests/unit/rrm_operator/plan/test_golden.py` writes the files anew.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.rrm_operator.lives import live_until_exporting

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "golden" / "plan"
EXAMPLES = sorted(path.stem for path in (ROOT / "crds" / "examples").glob("*.yaml"))


class ReadableDumper(yaml.SafeDumper):
    """Writes text of several lines as such, and never refers to something above."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


ReadableDumper.add_representer(str, as_block)


async def planned(operator: Any) -> str:
    world = await live_until_exporting(operator)
    documents = [manifest for _, manifest in sorted(world.planned.items())]
    (submission,) = world.submissions
    job = {"submission_id": submission.submission_id, "entrypoint": submission.entrypoint}
    return yaml.dump_all([*documents, {"rayJob": job}], Dumper=ReadableDumper, sort_keys=False, width=110)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_the_plan_of_an_example_is_the_reviewed_one(
    name: str, load_example: Callable[[str], Any], operator_of: Callable[..., Any]
) -> None:
    found, golden = await planned(operator_of(load_example(name))), GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_every_plan_is_that_of_an_example() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == EXAMPLES
