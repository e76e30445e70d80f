"""Every worked number in a docstring of the light trainer is true."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = {"train", "export", "tiny_model", "trainer_env"}
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "rrm").rglob("*.py")
    if not HEAVY & set(path.relative_to(ROOT).parts) and ">>>" in path.read_text(encoding="utf-8")
)


def test_there_are_worked_numbers() -> None:
    assert "rrm.rewards.exponential" in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_worked_numbers_are_true(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0
