"""The commands the operator writes into pods, and the command line that has to understand them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.cli import COMMANDS, _load

GOLDENS = Path(__file__).parents[1] / "golden" / "plan"


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping with a command, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("command"), list):
            yield value
        yield from (found for child in value.values() for found in containers(child))
    elif isinstance(value, list):
        yield from (found for child in value for found in containers(child))


def commands() -> list[list[str]]:
    """Return what follows `python -m rrm.cli` in the planned Jobs, as reviewed in the goldens."""
    documents = [it for file in sorted(GOLDENS.glob("*.yaml")) for it in yaml.safe_load_all(file.read_text())]
    lines = [container["command"] for container in containers(documents)]
    return [line[3:] for line in lines if line[:3] == ["python", "-m", "rrm.cli"]]


def test_prepare_and_export_are_both_planned() -> None:
    assert {command[0] for command in commands()} == {"prepare", "export"}


@pytest.mark.parametrize("command", commands(), ids=lambda command: command[0])
def test_the_command_line_understands_what_the_operator_writes(command: list[str]) -> None:
    name, *arguments = command
    assert name in COMMANDS
    parsed = _load(name).make_context(name, arguments)
    assert {str(parsed.params[key]) for key in ("volume", "claims")} == {"/mnt/rrm", "/mnt/claims"}
