"""The commands the operator writes into pods, and the command line that has to understand them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.cli import COMMANDS, _load

GOLDENS = Path(__file__).parents[1] / "golden" / "plan"


def commands() -> list[list[str]]:
    """Return every `python -m rrm.cli ...` of the planned Jobs, as reviewed in the goldens."""
    found: list[list[str]] = []

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            command = value.get("command")
            if isinstance(command, list) and command[:3] == ["python", "-m", "rrm.cli"]:
                found.append(command[3:])
            for child in value.values():
                visit(child)
        elif isinstance(value, list):
            for child in value:
                visit(child)

    for file in sorted(GOLDENS.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            visit(document)
    return found


def test_prepare_and_export_are_both_planned() -> None:
    assert {command[0] for command in commands()} == {"prepare", "export"}


@pytest.mark.parametrize("command", commands(), ids=lambda command: command[0])
def test_the_command_line_understands_what_the_operator_writes(command: list[str]) -> None:
    name, *arguments = command
    assert name in COMMANDS
    parsed = _load(name).make_context(name, arguments, resilient_parsing=False)
    assert {str(parsed.params[key]) for key in ("volume", "claims")} == {"/mnt/rrm", "/mnt/claims"}
