"""One real training for all tests of this folder: half of the demo's, by `rrm run`, without Kubernetes.

Half, as the whole of it is trained in a cluster beside, where the demo's own claims are asserted.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rrm.cli.heavy import code_path
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "crds" / "examples" / "tiny-cpu.yaml"
SAMPLES = ROOT / "tests" / "data" / "helpsteer2"
RRM = Path(sys.executable).with_name("rrm")
STEPS = 12
"""Two evaluations and a checkpoint."""


@pytest.fixture(scope="session")
def trainer_python() -> Path:
    """The interpreter of the trainer's environment."""
    try:
        return find_environment("cpu").python
    except TrainerEnvironmentError as error:
        pytest.skip(str(error))


@dataclass(frozen=True)
class Trained:
    """A finished `rrm run`: its places, exit code, what it printed, and how long it took."""

    volume: Path
    claims: Path
    exit_code: int
    printed: str
    seconds: float
    steps: int = STEPS

    @property
    def folder(self) -> Path:
        """Folder of the training."""
        return self.volume / "tiny-judge"


def rrm(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run `rrm` from the light environment; it goes on in the trainer's by itself."""
    return subprocess.run(
        [str(RRM), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "160"},
    )


@pytest.fixture(scope="session")
def claims(trainer_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's claim: committed rows, and the tiny model (made once per machine)."""
    folder = tmp_path_factory.mktemp("claims")
    (folder / "demo" / "helpsteer2").mkdir(parents=True)
    for name in ("train.jsonl", "eval.jsonl"):
        shutil.copy(SAMPLES / name, folder / "demo" / "helpsteer2" / name)
    made = rrm("tiny-model", folder / "demo" / "model", "--claims", folder)
    assert made.returncode == 0, made.stdout
    return folder


@pytest.fixture(scope="session")
def trained(claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The first half of the demo's training, run to its end: about 5 minutes on two quiet cores."""
    volume = tmp_path_factory.mktemp("runs")
    start = time.monotonic()
    done = rrm("run", EXAMPLE, "--volume", volume, "--claims", claims, "--steps", str(STEPS))
    return Trained(volume, claims, done.returncode, done.stdout, time.monotonic() - start)


@pytest.fixture(scope="session")
def trainer_environment() -> dict[str, str]:
    """Variables that bring our code into the trainer's environment."""
    return {**os.environ, "PYTHONPATH": code_path()}


@pytest.fixture(scope="session")
def rrm_command() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """`rrm` as a function."""
    return rrm


@pytest.fixture(scope="session")
def example() -> Path:
    """The demo's training."""
    return EXAMPLE
