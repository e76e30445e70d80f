"""One attempt: what it reads, where it writes, and the small files that its processes share on the volume.

Parent, driver, trainer, agent loop and reward manager run in different processes, maybe on different nodes;
all build the same `Attempt` from three plain values in the trainer's configuration (`+rrm.*`).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rrm.datasets import scale_of
from rrm.presets import Hyperparameters, resolve
from rrm.scales import Scale
from rrm_api.layout import newest_attempt as newest_attempt
from rrm_api.run import Layout, RunFile


@dataclass(frozen=True)
class Attempt:
    """A numbered try at a run.

    Attributes:
        run: What is to be done.
        volume: Where the training's claim is mounted.
        claims: Folder below which the other claims are mounted, each under its name.
        number: Counts from 1.
    """

    run: RunFile
    volume: Path
    claims: Path
    number: int

    @property
    def layout(self) -> Layout:
        """Where things lie on the volume."""
        return Layout(self.volume, self.run.intent.name)

    @property
    def folder(self) -> Path:
        """Folder of this attempt."""
        return self.layout.attempt(self.number)

    @property
    def run_copy(self) -> Path:
        """The run file as this attempt read it: mounted ConfigMaps lag behind on other nodes."""
        return self.folder / "run.json"

    @property
    def job_log(self) -> Path:
        """Everything the trainer said."""
        return self.folder / "job.log"

    @property
    def metrics(self) -> Path:
        """Verl's metrics of every step, JSON lines."""
        return self.folder / "metrics.jsonl"

    @property
    def versions(self) -> Path:
        """Versions of the packages that this attempt runs with."""
        return self.folder / "versions.json"

    @property
    def rows(self) -> Path:
        """Ids of the rows that each step was trained on, JSON lines."""
        return self.folder / "rows.jsonl"

    @property
    def progress(self) -> Path:
        """Progress documents, JSON lines."""
        return self.folder / "progress.jsonl"

    @property
    def heartbeat(self) -> Path:
        """Phase, step and time of the last sign of life."""
        return self.folder / "heartbeat.json"

    @property
    def ending(self) -> Path:
        """How the child ended, in its own words."""
        return self.folder / "ending.json"

    @property
    def outcome(self) -> Path:
        """At which step verl's driver left."""
        return self.folder / "outcome.json"

    @property
    def stop_mark(self) -> Path:
        """File whose existence asks to save and leave."""
        return self.layout.stop_mark(self.number)

    @property
    def alive(self) -> Path:
        """The parent's sign of life."""
        return self.layout.alive(self.number)

    @property
    def finished_mark(self) -> Path:
        """File whose existence says that the attempt has ended and reported."""
        return self.layout.finished_mark(self.number)

    @property
    def validations(self) -> Path:
        """Validation metrics by step, of all attempts."""
        return self.layout.root / "validations.json"

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Every effective number."""
        return resolve(self.run.intent)

    @property
    def scale(self) -> Scale:
        """Range of labels and scores; all sources of a training share it."""
        return scale_of(self.run.intent.data.train[0], self.run.intent.method)

    def answers(self, step: int) -> Path:
        """Return the file with one row per validation answer of a step."""
        return self.folder / f"validation-{step}.parquet"

    def settings(self) -> dict[str, str]:
        """Return what the trainer's processes rebuild this attempt from."""
        return {
            "volume": str(self.volume),
            "claims": str(self.claims),
            "training": self.run.intent.name,
            "attempt": str(self.number),
        }


def attempt_of(settings: Mapping[str, Any]) -> Attempt:
    """Return the attempt that `Attempt.settings` described, reading its copy of the run file."""
    volume, number = Path(settings["volume"]), int(settings["attempt"])
    copy = Layout(volume, str(settings["training"])).attempt(number) / "run.json"
    run = RunFile.model_validate_json(copy.read_text())
    return Attempt(run=run, volume=volume, claims=Path(settings["claims"]), number=number)


def write_json(path: Path, document: Any) -> None:
    """Write a document such that a reader on the shared volume never sees half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(document, ensure_ascii=False))
    partial.replace(path)
