"""How many steps a run takes: from prepared rows, or from a number that somebody gives."""

import json
from dataclasses import dataclass
from pathlib import Path

from rrm.presets.hyperparameters import Hyperparameters
from rrm_api.run import Intent, Layout

REPORT_FILE = "data.json"


@dataclass(frozen=True)
class Rows:
    """Rows that are known, and how; None = unknown."""

    train: int | None
    validation: int | None
    origin: str


@dataclass(frozen=True)
class Steps:
    """Steps of one epoch and of the run; None = the number of rows is unknown."""

    per_epoch: int | None
    total: int | None
    rows: Rows


def count_steps(intent: Intent, numbers: Hyperparameters, *, rows: int | None, volume: Path) -> Steps:
    """Return how long the run is.

    Raises:
        InvalidSpec: If the rows do not fill one batch.
    """
    known = _rows(intent, rows, volume)
    if known.train is None:
        bounded = numbers.max_steps if numbers.epochs is None else None
        return Steps(None, bounded, known)
    return Steps(numbers.steps_per_epoch(known.train), numbers.total_steps(known.train), known)


def _rows(intent: Intent, rows: int | None, volume: Path) -> Rows:
    if rows is not None:
        return Rows(rows, None, "--rows")
    report = Layout(volume, intent.name).data / REPORT_FILE
    try:
        data = json.loads(report.read_text(encoding="utf-8"))["prepared"]["data"]
        return Rows(int(data["train"]), int(data["validation"]), str(report))
    except (OSError, ValueError, KeyError, TypeError):
        return Rows(None, None, "unknown: give --rows, or run `rrm prepare` first")
