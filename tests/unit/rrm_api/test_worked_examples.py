"""Every worked example in a docstring of the API is true."""

import doctest
import importlib
from pathlib import Path

import pytest

import rrm_api

MODULES = sorted(
    path.stem
    for path in Path(rrm_api.__file__).parent.glob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", MODULES)
def test_worked_examples_are_true(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"rrm_api.{module}"))
    assert results.attempted > 0
    assert results.failed == 0
