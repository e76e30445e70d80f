"""The result of a training: floors, untrained and best judge, and the lift with its verdict."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm.errors import VolumeUnavailable
from rrm.judge.lift import Lift
from rrm.judge.measured import measure_lift
from rrm.report.reading import Gaps
from rrm.train.attempt import Attempt, newest_attempt
from rrm.train.checkpoints import best_step, list_checkpoints
from rrm.train.validations import read_validations, rewards_of
from rrm_api.run import Layout, RunFile
from rrm_api.spec_train import Method

HEADINGS: Final = {
    "reward": "reward",
    "exact": "exact",
    "accuracy": "accuracy",
    "accuracy_untied": "untied",
    "swap_consistency": "same both ways",
    "balanced_accuracy": "balanced",
    "qwk": "QWK",
    "spearman": "Spearman",
    "mae": "MAE",
    "parse_rate": "readable",
}
"""Metric -> heading."""
_POINTWISE: Final = ("reward", "exact", "qwk", "spearman", "mae", "parse_rate")
_PAIRWISE: Final = ("reward", "accuracy", "accuracy_untied", "swap_consistency", "parse_rate")


def columns_of(method: Method) -> dict[str, str]:
    """Return metric -> heading of the table of a method."""
    names = _PAIRWISE if method is Method.PAIRWISE else _POINTWISE
    return {name: HEADINGS[name] for name in names}


@dataclass(frozen=True)
class Summary:
    """What a training left behind.

    Attributes:
        run: What was run.
        layout: Where it lies.
        attempt: Number of the newest attempt.
        base: Validation metrics of the untrained model; empty if not measured.
        best: Those of the best whole checkpoint; empty if there is none.
        best_step: Its step.
        whole: Steps of all whole checkpoints.
        lift: Over the best of base and floors; None if either side is missing or on other rows.
    """

    run: RunFile
    layout: Layout
    attempt: int
    base: dict[str, float]
    best: dict[str, float]
    best_step: int | None
    whole: tuple[int, ...]
    lift: Lift | None


def read_summary(training_folder: Path) -> Summary:
    """Return what lies in the folder of a training.

    Raises:
        VolumeUnavailable: no attempt was ever made there.
    """
    layout = Layout(training_folder.parent, training_folder.name)
    number = newest_attempt(layout)
    copy = layout.attempt(number) / "run.json"
    if not copy.is_file():
        raise VolumeUnavailable(
            f"{training_folder}: expected the folder of a training with attempts, found none"
        )
    run = RunFile.model_validate_json(copy.read_text())
    attempt = Attempt(run=run, volume=layout.volume, claims=Path(), number=number)
    validations = read_validations(attempt.validations)
    whole = tuple(c.step for c in list_checkpoints(layout.checkpoints) if c.is_whole)
    step = best_step(whole, rewards_of(validations))
    return Summary(
        run=run,
        layout=layout,
        attempt=number,
        base=validations.get(0, {}),
        best={} if step is None else validations[step],
        best_step=step,
        whole=whole,
        lift=None if step is None else measure_lift(run, layout, step, attempt.scale),
    )


def whole_steps(folder: Path, gaps: Gaps) -> tuple[int, ...]:
    """Return the steps of the whole checkpoints, as far as they can be seen."""
    try:
        return tuple(checkpoint.step for checkpoint in list_checkpoints(folder) if checkpoint.is_whole)
    except (OSError, ValueError) as error:  # one is being deleted right now, or the tracker is garbage
        gaps.note(folder, f"not readable ({error})", "which checkpoints are whole")
        return ()


def verdict_of(lift: Lift | None) -> str:
    """Return the lift with its interval and what it means, in one line."""
    if lift is None:
        return "lift: not measured, for base or checkpoint was not validated, or not on the same rows"
    interval = f"95 % interval {lift.low:+.3f} to {lift.high:+.3f}"
    return f"lift over {lift.reference}: {lift.value:+.3f} ({interval}): {lift.verdict}"
