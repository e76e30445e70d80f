"""Validation metrics of every step, across attempts, in one small file: whence "base" and "best"."""

import json
from collections.abc import Mapping
from pathlib import Path

from rrm.train.attempt import write_json
from rrm_api.status import Metric

REWARD = "reward"
Validations = dict[int, dict[str, float]]
"""Step -> metric -> value; step 0 is the untrained model."""


def read_validations(path: Path) -> Validations:
    """Return what was measured so far; nothing if there is no file yet."""
    if not path.is_file():
        return {}
    return {int(step): metrics for step, metrics in json.loads(path.read_text()).items()}


def add_validation(path: Path, step: int, metrics: Mapping[str, float]) -> Validations:
    """Add, or after a resume replace, the metrics of a step; returns all of them."""
    known = {**read_validations(path), step: dict(metrics)}
    write_json(path, {str(step): known[step] for step in sorted(known)})
    return known


def rewards_of(validations: Validations) -> dict[int, float]:
    """Return step -> validation reward."""
    return {step: metrics[REWARD] for step, metrics in validations.items()}


def lift_over(reward: float, *, base: float | None, floors: list[Metric]) -> float | None:
    """Return the reward minus the better of base and best floor; None while there is nothing to compare with.

    >>> round(lift_over(0.8, base=0.5, floors=[Metric(name="constant", value="0.7")]), 6)
    0.1
    """
    rivals = [float(floor.value) for floor in floors] + ([] if base is None else [base])
    return reward - max(rivals) if rivals else None
