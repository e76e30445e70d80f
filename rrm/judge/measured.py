"""The lift of a training, from what lies on its volume: paired answers of untrained and trained judge."""

import json
from pathlib import Path

from rrm.judge.baselines import Floor, Lift, floors_by_row, lift
from rrm.scales import Scale
from rrm.train.answers import read_answers
from rrm_api.run import Layout, RunFile


def measure_lift(run: RunFile, layout: Layout, step: int, scale: Scale) -> Lift | None:
    """Return the lift of the checkpoint of a step; None if base or checkpoint was not validated."""
    base, trained = newest_answers(layout, 0), newest_answers(layout, step)
    if base is None or trained is None:
        return None
    rows = read_answers(trained)
    floors = floors_by_row(read_floors(layout), rows, scale=scale, reward=run.intent.reward)
    return lift(rows, read_answers(base), floors, seed=run.intent.data.seed)


def newest_answers(layout: Layout, step: int) -> Path | None:
    """Return the answers of a step by the newest attempt that validated it; None if none did."""
    found = layout.root.glob(f"attempt-*/validation-{step}.parquet")
    return max(found, key=lambda path: int(path.parent.name.removeprefix("attempt-")), default=None)


def read_floors(layout: Layout) -> tuple[Floor, ...]:
    """Return the floors that were fitted when the rows were prepared."""
    report = json.loads((layout.data / "data.json").read_text(encoding="utf-8"))
    return tuple(Floor(name, tuple(floor["shares"])) for name, floor in report["floors"].items())
