"""What the demo's claim holds: the committed rows, and the tiny model, which is made here."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from rrm.trainer_env.locate import find_environment
from rrm_test_cluster.demo.errors import DemoError
from rrm_test_cluster.demo.places import CHECKOUT
from rrm_test_cluster.demo.telling import Teller

ROWS: Final = CHECKOUT / "tests" / "data" / "helpsteer2"
PARTS: Final = ("train.jsonl", "eval.jsonl")


def fill_claim(claim: Path, tell: Teller) -> Path:
    """Put rows and model into the folder that the claim `demo` shows, and return it.

    Raises:
        DemoError: The model could not be made; the reason is above it in the output.
    """
    rows = claim / "helpsteer2"
    rows.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        shutil.copyfile(ROWS / part, rows / part)
    with tell.step("the tiny model: a format, and scores drawn at random (2 min once)"):
        _make_model(claim / "model", rows)
    # Read by pods, which run as user 1000.
    subprocess.run(["chmod", "--recursive", "a+rX", str(claim)], check=True)
    return claim


def _make_model(folder: Path, rows: Path) -> None:
    environment = find_environment("cpu")
    command = [
        str(environment.python),
        "-m",
        "rrm.cli",
        "tiny-model",
        str(folder),
        "--rows",
        str(rows / PARTS[0]),
    ]
    paths = {"PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'crds'}"}
    done = subprocess.run(command, env=os.environ | paths, check=False)
    if done.returncode != 0:
        raise DemoError(f"exit code {done.returncode} of: {' '.join(command)}")
