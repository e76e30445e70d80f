"""Every worked number in a docstring of the trainer's light modules is true; seeds tell requests apart."""

import doctest
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.train.seeds import request_seed

ROOT = Path(__file__).parents[4]
HEAVY = ("rrm/train/hooks", "rrm/train/cpu", "rrm/train/verl04", "rrm/tiny_model/make.py")
"""What cannot be imported without torch and verl has no doctests."""
FOLDERS = ("train", "export", "tiny_model", "trainer_env")


def modules() -> list[str]:
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / "rrm" / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if ">>>" in path.read_text(encoding="utf-8"):
                assert not name.startswith(HEAVY), f"{name}: nobody runs its doctests"
                found.append(name.removesuffix(".py").replace("/", "."))
    return found


@pytest.mark.parametrize("module", modules())
def test_worked_numbers_are_true(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0


keys = st.tuples(st.sampled_from(["train", "validation"]), st.integers(0, 999), st.text("abcdef", min_size=1))


@given(st.sets(keys, min_size=2, max_size=40))
def test_requests_that_differ_have_seeds_that_differ(requests: set[tuple[str, int, str]]) -> None:
    seeds = {request_seed(1, *request) for request in requests}
    assert len(seeds) == len(requests)
    assert all(0 <= seed < 2**56 for seed in seeds)
