"""What a finished training left on its volume, read once into plain values."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rrm.train.checkpoints import list_checkpoints
from rrm.train.validations import Validations, read_validations
from rrm.trainer_env.locate import find_environment
from rrm_api.run import Layout, RunFile
from rrm_test_cluster.demo.errors import TrainingEnded
from rrm_test_cluster.demo.places import CHECKOUT

_STEP: Final = re.compile(r"\bstep:(\d+) - ")
_AGREEMENT: Final = re.compile(r"training/rollout_probs_diff_max:(?:np\.float\d+\()?([-+0-9.e]+)")
ASKED_ROWS: Final = 16


@dataclass(frozen=True)
class Results:
    """The facts the demo's claims are about.

    Attributes:
        run: What the attempt read, with the counts of preparing.
        agreements: Step -> greatest difference between the probabilities of engine and trainer.
        validations: Step -> metric -> value.
        whole_steps: Steps of the whole checkpoints.
        asked: Validation rows the exported judge was asked about.
        readable: Answers of those that could be read.
    """

    run: RunFile
    agreements: dict[int, float]
    validations: Validations
    whole_steps: tuple[int, ...]
    asked: int
    readable: int


def read_results(volume: Path, training: str, attempt: int) -> Results:
    """Read the folder of a training on its volume, and ask the exported judge.

    Raises:
        TrainingEnded: The exported judge does not load or answer.
    """
    layout = Layout(volume, training)
    run = layout.attempt(attempt) / "run.json"
    answers = ask_exported(layout, run)
    return Results(
        run=RunFile.model_validate_json(run.read_text()),
        agreements=agreements_in((layout.attempt(attempt) / "job.log").read_text(errors="replace")),
        validations=read_validations(layout.root / "validations.json"),
        whole_steps=tuple(found.step for found in list_checkpoints(layout.checkpoints) if found.is_whole),
        asked=int(answers["asked"]),
        readable=int(answers["readable"]),
    )


def agreements_in(job_log: str) -> dict[int, float]:
    """Return step -> `training/rollout_probs_diff_max` of a job's log.

    >>> agreements_in("x step:1 - training/rollout_probs_diff_max:np.float64(2e-06) - a:1")
    {1: 2e-06}
    """
    found = {}
    for line in job_log.splitlines():
        step, agreement = _STEP.search(line), _AGREEMENT.search(line)
        if step and agreement:
            found[int(step[1])] = float(agreement[1])
    return found


def ask_exported(layout: Layout, run: Path) -> dict[str, Any]:
    """Load the exported folder with `transformers` in the trainer's environment and ask it about 16 rows.

    Raises:
        TrainingEnded: It does not load.
    """
    command = [
        *(str(find_environment("cpu").python), str(Path(__file__).with_name("exported.py"))),
        *(str(layout.export), str(layout.data / "validation.parquet"), str(run), str(ASKED_ROWS)),
    ]
    paths = {"PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'crds'}", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=os.environ | paths, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TrainingEnded(f"the exported model in {layout.export} does not load:\n{done.stderr[-3000:]}")
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers
