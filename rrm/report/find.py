"""From what a person typed to a training's folder, and to one step of it."""

from dataclasses import dataclass
from pathlib import Path

from rrm.errors import InvalidSpec, VolumeUnavailable
from rrm.judge.measured import newest_answers
from rrm.report.reading import Gaps, read_json, whole_number
from rrm.report.result import whole_steps
from rrm.train.checkpoints import best_step
from rrm_api.run import Layout


def find_training(name: str, volume: Path) -> Path:
    """Return the folder of a training, given by its name on the volume or by its path.

    Raises:
        VolumeUnavailable: There is none; says which trainings the volume has.
    """
    for folder in (volume / name, Path(name)):
        if folder.is_dir() and any(folder.glob("attempt-*")):
            return folder.resolve()
    known = sorted(path.parent.name for path in volume.glob("*/attempt-1"))
    has = f"trainings there: {', '.join(known)}" if known else "no training was run there"
    raise VolumeUnavailable(
        f"{name}: expected the name of a training on {volume}, or its folder, with at least one attempt; "
        f"{has}; correct the name, or say with --volume where it lies"
    )


@dataclass(frozen=True)
class Side:
    """One step of a training: where it lies and where its answers are.

    Attributes:
        name: As a person would type it, `name@step`.
        layout: Where the training lies.
        step: The step; 0 = the untrained model.
        answers: File of its validation answers.
    """

    name: str
    layout: Layout
    step: int
    answers: Path


def find_side(text: str, volume: Path) -> Side:
    """Return what `name` or `name@step` means; without a step the best whole checkpoint, else the newest.

    Raises:
        VolumeUnavailable: There is no such training.
        InvalidSpec: The step is no number, or was not validated; says which were.
    """
    name, at, wanted = text.rpartition("@")
    if not at:
        name, wanted = text, ""
    root = find_training(name, volume)
    layout = Layout(root.parent, root.name)
    validated = validated_steps(layout)
    step = whole_number(wanted) if at else _default_step(layout, validated)
    answers = None if step is None else newest_answers(layout, step)
    if step is None or answers is None:
        found = ", ".join(map(str, validated)) or "none"
        raise InvalidSpec(
            f"{text}: expected a step of {root.name} that was validated, found {wanted or 'none'}; validated "
            f"steps: {found}; write {root.name}@STEP with one of them"
        )
    return Side(f"{root.name}@{step}", layout, step, answers)


def validated_steps(layout: Layout) -> list[int]:
    """Return the steps whose answers are on the volume."""
    files = layout.root.glob("attempt-*/validation-*.parquet")
    inherited = layout.root.glob("predecessor-*/attempt-*/validation-*.parquet")
    steps = (whole_number(path.stem.removeprefix("validation-")) for path in (*files, *inherited))
    return sorted({step for step in steps if step is not None})


def _default_step(layout: Layout, validated: list[int]) -> int | None:
    kept = read_json(layout.root / "validations.json", Gaps(layout.root), lost="")
    rewards = {
        step: float(metrics["reward"])
        for text, metrics in kept.items()
        if (step := whole_number(text)) in validated and isinstance(metrics, dict) and "reward" in metrics
    }
    whole = whole_steps(layout.checkpoints, Gaps(layout.root))
    best = best_step(whole, {step: reward for step, reward in rewards.items() if step is not None})
    return best if best is not None else max(validated, default=None)
