"""What the demo's claim holds: the committed rows, and the tiny model, which is made here."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from rrm_test_cluster.demo.errors import DemoError
from rrm_test_cluster.demo.places import CHECKOUT, EXAMPLE
from rrm_test_cluster.demo.telling import Teller

ROWS: Final = CHECKOUT / "tests" / "data" / "helpsteer2"
PARTS: Final = ("train.jsonl", "eval.jsonl")


def fill_claim(claim: Path, tell: Teller) -> Path:
    """Put rows and model into the folder that the claim `demo` shows, and return it.

    Args:
        claim: A folder called like the claim, as the training names its rows by it.
        tell: Told what is done.

    Raises:
        DemoError: The model could not be made; the reason is above it in the output.
    """
    rows = claim / "helpsteer2"
    rows.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        shutil.copyfile(ROWS / part, rows / part)
    with tell.step("the tiny model: a format, and scores drawn at random (2 min once)"):
        _make_model(claim)
    # Read by pods, which run as user 1000.
    subprocess.run(["chmod", "--recursive", "a+rX", str(claim)], check=True)
    return claim


def _make_model(claim: Path) -> None:
    where = ("--training", str(EXAMPLE), "--claims", str(claim.parent))
    command = [sys.executable, "-m", "rrm.cli", "tiny-model", str(claim / "model"), *where]
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        raise DemoError(f"exit code {done.returncode} of: {' '.join(command)}")
