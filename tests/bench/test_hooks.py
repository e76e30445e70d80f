"""What our hooks cost: the same training by our child and by verl's own entry point, a step of each compared.

Both read the same rows, answer with the same lengths and use the same overrides, but for our classes: verl
templates and scores by itself. Prints the ratio, asserts no time. About ten minutes on two quiet cores.
"""

import json
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from rrm.cli.heavy import code_path
from rrm.train.environment import CPU, QUIET
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment

pytestmark = pytest.mark.bench
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "crds" / "examples" / "tiny-cpu.yaml"
SAMPLES = ROOT / "tests" / "data" / "helpsteer2"
STEPS = 8
WARM_UP = 2
OURS = ("data.custom_cls", "reward.reward_manager", "+rrm.", "actor_rollout_ref.rollout.agent.")
"""Overrides that put our classes in; verl by hand has none of them."""
REWARD = """
import math, re
def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    found = re.findall(r"<score>([0-4])</score>", solution_str)
    return math.exp(-abs(int(found[-1]) - float(ground_truth)) / 2) if found else 0.0
"""


class FirstLine(threading.Thread):
    """Waits for a file's first line; `seconds` from when it begins to wait, or from when `since` appears."""

    def __init__(self, file: Path, since: Path | None = None) -> None:
        super().__init__(daemon=True)
        self._file, self._since = file, since
        self.seconds = math.nan
        self.start()

    def run(self) -> None:
        while self._since is not None and not self._since.exists():
            time.sleep(0.1)
        begin = time.monotonic()
        while not (self._file.is_file() and self._file.stat().st_size):
            time.sleep(0.1)
        self.seconds = time.monotonic() - begin


def steps_of(metrics: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    return [line["data"] for line in lines if line["step"] > WARM_UP]


def by_hand(folder: Path, ours: Path, python: Path) -> tuple[Path, float]:
    """Train with `python -m verl.trainer.main_ppo`; returns its metrics and the seconds to the first."""
    for part in ("train", "validation"):
        rows = pq.read_table(ours / "data" / f"{part}.parquet").to_pylist()
        plain = [
            {
                "prompt": row["messages"],
                "data_source": row["data_source"],
                "reward_model": {"style": "rule", "ground_truth": str(row["label"])},
                "extra_info": {"index": i},
            }
            for i, row in enumerate(rows)
        ]
        pq.write_table(pa.Table.from_pylist(plain), folder / f"{part}.parquet")
    (folder / "reward.py").write_text(REWARD)
    lines = (ours / "attempt-1" / "overrides.txt").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(OURS) and "validation_data_dir" not in line]
    changed = {
        "data.train_files": folder / "train.parquet",
        "data.val_files": folder / "validation.parquet",
        "trainer.default_local_dir": folder / "checkpoints",
        "reward.custom_reward_function.path": folder / "reward.py",
        "reward.custom_reward_function.name": "compute_score",
        "actor_rollout_ref.rollout.agent.num_workers": 1,
        "+ray_kwargs.ray_init._temp_dir": None,
    }
    kept = [line for line in kept if line.partition("=")[0] not in changed]
    kept += [f"{key}={value}" for key, value in changed.items() if value is not None]
    metrics = folder / "metrics.jsonl"
    first = FirstLine(metrics)
    environment = {**os.environ, **QUIET, **CPU, "HF_HUB_OFFLINE": "1", "PYTHONPATH": code_path()}
    with (folder / "log").open("w") as log:
        done = subprocess.run(
            [str(python), "-m", "verl.trainer.main_ppo", *kept],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,  # Hydra writes its outputs folder where it stands.
            env=environment | {"VERL_FILE_LOGGER_PATH": str(metrics)},
        )
    assert done.returncode == 0, (folder / "log").read_text()[-3000:]
    return metrics, first.seconds


def test_a_step_with_our_hooks_beside_one_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        python = find_environment("cpu").python
    except TrainerEnvironmentError as error:
        pytest.skip(str(error))
    claim = tmp_path / "claims" / "demo"
    (claim / "helpsteer2").mkdir(parents=True)
    for name in ("train.jsonl", "eval.jsonl"):
        (claim / "helpsteer2" / name).write_bytes((SAMPLES / name).read_bytes())
    rrm = str(Path(sys.executable).with_name("rrm"))
    places = ["--claims", str(tmp_path / "claims")]
    subprocess.run([rrm, "tiny-model", str(claim / "model"), *places], check=True, cwd=ROOT)
    run = [rrm, "run", str(EXAMPLE), "--volume", str(tmp_path / "runs"), "--steps", str(STEPS), *places]
    ours = tmp_path / "runs" / "tiny-judge"
    first = FirstLine(ours / "attempt-1" / "metrics.jsonl", since=ours / "attempt-1" / "versions.json")
    subprocess.run(run, check=True, cwd=ROOT)
    (tmp_path / "hand").mkdir()

    mine = steps_of(ours / "attempt-1" / "metrics.jsonl")
    metrics, their_start = by_hand(tmp_path / "hand", ours, python)
    theirs = steps_of(metrics)

    seconds = [median(step["timing_s/step"] for step in steps) for steps in (mine, theirs)]
    # Prompts are drawn in the same order, but answers differ; a token is what costs.
    tokens = [median(step["perf/total_num_tokens"] for step in steps) for steps in (mine, theirs)]
    share = median(step["rrm/hook_seconds_share"] for step in mine)
    with capsys.disabled():
        Console().print(
            f"median step: {seconds[0]:.2f} s with our hooks, {seconds[1]:.2f} s by hand, ratio "
            f"{seconds[0] / seconds[1]:.3f} ({tokens[0]:.0f} and {tokens[1]:.0f} tokens); "
            f"own time in the hooks {share:.2%}; from start to the first validation {first.seconds:.0f} s "
            f"with ours, {their_start:.0f} s by hand"
        )
    assert len(mine) == len(theirs) == STEPS - WARM_UP
