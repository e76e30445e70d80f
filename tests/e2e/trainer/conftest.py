"""Real trainings for the tests of this folder, by `rrm run`, without Kubernetes.

One task that a tiny model learns in 40 steps, trained to its end and once more from its half. The demo's
training, which learns less, runs in a cluster beside, where its own claims are asserted.
"""

import os
import shutil
import subprocess
import sys
import threading
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
HERE = Path(__file__).parent
AGAIN = 10
"""Steps that are made again after the resume, and compared."""
STEPS = 40
"""Four evaluations and two checkpoints."""


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
        return self.volume / "sentiment"


def rrm(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `rrm` from the light environment; it goes on in the trainer's by itself."""
    return subprocess.run(
        [str(RRM), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "160", **variables},
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
def task(trainer_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the task to learn: `sentiment.yaml`, and its claim with rows and a model."""
    folder = tmp_path_factory.mktemp("task")
    made = subprocess.run(
        [str(trainer_python), str(HERE / "sentiment.py"), str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": code_path()},
    )
    assert made.returncode == 0, made.stderr[-4000:]
    return folder


@pytest.fixture(scope="session")
def trained(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The task, trained to its end: about seven minutes on two quiet cores."""
    volume = tmp_path_factory.mktemp("runs")
    start = time.monotonic()
    done = rrm("run", task / "sentiment.yaml", "--volume", volume, "--claims", task)
    return Trained(volume, task, done.returncode, done.stdout, time.monotonic() - start)


@dataclass(frozen=True)
class Resumed:
    """The same training, gone on with from its half and stopped after some steps.

    `reloaded` holds what it saved before the first of them.
    """

    folder: Path
    reloaded: Path
    exit_code: int
    printed: str


@pytest.fixture(scope="session")
def resumed(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    """A copy of the training whose last save was cut off, gone on with: about three minutes."""
    place = tmp_path_factory.mktemp("resumed")
    volume, reloaded = place / "runs", place / "reloaded"
    shutil.copytree(trained.volume, volume)
    folder = volume / "sentiment"
    cut = folder / "checkpoints" / f"global_step_{STEPS}"
    (cut / "data.pt").unlink()
    metrics = folder / "attempt-2" / "metrics.jsonl"
    asked = when(lambda: metrics.is_file() and metrics.read_text().count("\n") >= AGAIN, folder / "stop-2")
    # Ours comes first on the path, as Python takes the first `sitecustomize` it finds.
    path = os.pathsep.join([str(HERE / "resave"), code_path()])
    done = rrm(
        *("run", trained.claims / "sentiment.yaml", "--volume", volume, "--claims", trained.claims),
        PYTHONPATH=path,
        RRM_TEST_RESAVE=str(reloaded),
    )
    asked.set()
    return Resumed(folder, reloaded, done.returncode, done.stdout)


def when(holds: Callable[[], bool], mark: Path) -> threading.Event:
    """Touch a file as soon as something holds, in a thread that ends when the returned event is set."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            if holds():
                mark.touch()
                return

    threading.Thread(target=watch, daemon=True).start()
    return over


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
