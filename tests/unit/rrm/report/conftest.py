"""Trainings' folders: the recorded one, to be changed at will, and a maker of others."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[3] / "data" / "recorded_run"
sys.path.insert(0, str(RECORDED))  # its maker is a script, which finds its other half beside itself

from make_run import Plan, Try, record  # noqa: E402

__all__ = ["Plan", "Try"]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A copy of the recorded training: 24 steps, resumed at 12, validated every 6."""
    shutil.copytree(RECORDED / "tiny-judge", tmp_path / "tiny-judge")
    return tmp_path / "tiny-judge"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of other trainings: keyword arguments are those of `Plan`."""
    return lambda **plan: record(tmp_path, Plan(**plan))


@pytest.fixture
def running(make: Callable[..., Path]) -> Path:
    """A training that runs: step 15 of 24, nothing ended."""
    return make(name="running", tries=(Try(0, 15, None),))
