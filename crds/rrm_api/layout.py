"""Where things lie on a training's volume. Standard library only: what runs while a pod dies has no time."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Where things lie on the volume, below one folder per training."""

    volume: Path
    training: str

    @property
    def root(self) -> Path:
        """Folder of the training."""
        return self.volume / self.training

    @property
    def identity(self) -> Path:
        """Fingerprint of what the checkpoints depend on."""
        return self.root / "identity.json"

    @property
    def data(self) -> Path:
        """Prepared rows and the data report."""
        return self.root / "data"

    @property
    def checkpoints(self) -> Path:
        """The trainer's checkpoint folders, `global_step_N`."""
        return self.root / "checkpoints"

    @property
    def export(self) -> Path:
        """Exported model."""
        return self.root / "export"

    def attempt(self, number: int) -> Path:
        """Return the folder of one attempt: job.log, progress.jsonl, heartbeat, per-row dumps."""
        return self.root / f"attempt-{number}"

    def alive(self, number: int) -> Path:
        """Return the file that the parent of attempt `number` rewrites every few seconds while it runs."""
        return self.attempt(number) / "alive"

    def stop_mark(self, number: int) -> Path:
        """Return the file whose existence asks attempt `number` to save and leave."""
        return self.root / f"stop-{number}"

    def finished_mark(self, number: int) -> Path:
        """Return the file whose existence says that attempt `number` has ended and reported how."""
        return self.root / f"finished-{number}"


def newest_attempt(layout: Layout) -> int:
    """Return the highest attempt number that has a folder; 0 = none."""
    names = (path.name.removeprefix("attempt-") for path in layout.root.glob("attempt-*"))
    return max((int(name) for name in names if name.isdigit()), default=0)
