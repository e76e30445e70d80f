"""From the shards of a checkpoint to one Hugging Face folder, by verl's own merger in its own process.

verl 0.4.0 has none; its checkpoints, which hold no `fsdp_config.json`, and those that are exported where it
is installed, are merged by ours.
"""

import os
import subprocess
import sys
from pathlib import Path

from rrm.export.errors import MergeFailed
from rrm.train.engine import Engine, installed_engine
from rrm.train.environment import environment_for
from rrm.train.log import Masker, tail_of
from rrm_api.run import Intent


def merge(checkpoint: Path, target: Path, intent: Intent) -> None:
    """Write weights (bfloat16), configuration and tokenizer of a checkpoint to a folder.

    Raises:
        MergeFailed: the merger ended badly; with its last lines.
    """
    command = [sys.executable, "-m", *merger_of(checkpoint / "actor")]
    command += ["--local_dir", str(checkpoint / "actor"), "--target_dir", str(target)]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | environment_for(intent),
    )
    if done.returncode or not any(target.glob("*.safetensors")):
        raise MergeFailed(
            f"merging {checkpoint} ended with exit code {done.returncode} and without weights in {target}:\n"
            f"{tail_of(Masker(os.environ).mask(done.stdout), 1500)}"
        )


def merger_of(actor: Path) -> list[str]:
    """Return module and first arguments of the merger for a checkpoint."""
    is_newer = (actor / "fsdp_config.json").is_file() and installed_engine() is not Engine.VERL_04
    return ["verl.model_merger", "merge", "--backend", "fsdp"] if is_newer else ["rrm.train.verl04.merge"]
