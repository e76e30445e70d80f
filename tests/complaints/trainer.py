"""The trainer's side of an attempt, without a trainer: its folders, its checkpoints, its configuration."""

from pathlib import Path
from typing import Any

import yaml

from rrm.presets import resolve
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import TRACKER, Start, decide_start, list_checkpoints
from rrm.train.overrides import RayPlace, overrides_for
from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.status import DataStatus
from rrm_api.v1alpha1 import parse_training

EXAMPLES = Path(__file__).parents[2] / "crds" / "examples"
PARTS = ("model", "optim", "extra_state")
ON_A_CLUSTER = RayPlace(address="auto")


def attempt_on(folder: Path, *, number: int = 1, example: str = "tiny-cpu", **spec: Any) -> Attempt:
    """Return an attempt of an example whose volume lies below a folder."""
    document = yaml.safe_load((EXAMPLES / f"{example}.yaml").read_text())
    document["metadata"] |= {"namespace": "team", "uid": "1"}
    document["spec"] |= spec
    intent = intent_of(parse_training(document))
    prepared = Prepared(
        data=DataStatus(train=254, validation=64, digest="d"),
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset=resolve(intent).preset,
        floors=[],
    )
    run = RunFile(intent=intent, prepared=prepared)
    made = Attempt(run=run, volume=folder / "volume", claims=folder / "claims", number=number)
    made.folder.mkdir(parents=True, exist_ok=True)
    return made


def save(attempt: Attempt, step: int, *, ranks: int = 1, without: str | None = None) -> None:
    """Write a checkpoint as verl does; `without` a file whose name contains that, if given."""
    folder = attempt.layout.checkpoints / f"global_step_{step}"
    shards = [f"actor/{part}_world_size_{ranks}_rank_{rank}.pt" for part in PARTS for rank in range(ranks)]
    for name in (*shards, "data.pt"):
        if without is None or without not in name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"x")
    (attempt.layout.checkpoints / TRACKER).write_text(str(step))


def start_of(attempt: Attempt) -> Start:
    """Return where an attempt begins."""
    return decide_start(list_checkpoints(attempt.layout.checkpoints), attempt.run.prepared.total_steps)


def configuration(attempt: Attempt) -> dict[str, str]:
    """Return what verl is told on a cluster, by key."""
    lines = overrides_for(attempt, start=start_of(attempt), evaluate_first=False, ray=ON_A_CLUSTER)
    return dict(line.split("=", 1) for line in lines)
