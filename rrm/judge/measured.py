"""The lift of a training, from what lies on its volume: paired answers of untrained and trained judge."""

import json
import logging
from pathlib import Path

from rrm.judge.baselines import Floor, Lift, floors_by_row, lift
from rrm.scales import Scale
from rrm.train.answers import read_answers
from rrm_api.run import Layout, RunFile

LOG = logging.getLogger(__name__)


def measure_lift(run: RunFile, layout: Layout, step: int, scale: Scale) -> Lift | None:
    """Return the lift of a step; None if base or checkpoint was not validated, or each on other rows."""
    base, trained = newest_answers(layout, 0), newest_answers(layout, step)
    if base is None or trained is None:
        return None
    rows, base_rows = read_answers(trained), read_answers(base)
    if {row.row_id for row in rows} != {row.row_id for row in base_rows}:
        LOG.warning("the lift is not measured: %s and %s hold answers to different rows", base, trained)
        return None
    floors = floors_by_row(read_floors(layout), rows, scale=scale, reward=run.intent.reward)
    return lift(rows, base_rows, floors, seed=run.intent.data.seed)


def newest_answers(layout: Layout, step: int) -> Path | None:
    """Return the answers of a step by the newest attempt that validated it; None if none did.

    Attempts of a predecessor on the same checkpoints count where no own one validated the step.
    """
    own = layout.root.glob(f"attempt-*/validation-{step}.parquet")
    newest = max(own, key=lambda path: int(path.parent.name.removeprefix("attempt-")), default=None)
    if newest is not None:
        return newest
    inherited = layout.root.glob(f"predecessor-*/attempt-*/validation-{step}.parquet")
    return max(inherited, key=lambda path: path.stat().st_mtime, default=None)


def read_floors(layout: Layout) -> tuple[Floor, ...]:
    """Return the floors that were fitted when the rows were prepared."""
    report = json.loads((layout.data / "data.json").read_text(encoding="utf-8"))
    return tuple(Floor(name, tuple(floor["shares"])) for name, floor in report["floors"].items())
