"""Floors: what answers earn that look at nothing but the training labels, and the lift over them.

A judge that does not beat the best floor and the untrained model has learned at most how labels are spread.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rrm.judge.metrics import Floats, ScoredRow
from rrm.rewards.payment import pay
from rrm.scales import Scale
from rrm_api.spec_data import Reward

BASE: Final = "untrained model"
_NAMES: Final = {"uniform": "guessing uniformly", "label-shares": "guessing by the label shares"}
RESAMPLES: Final = 2000
_INTERVAL: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Floor:
    """An answer drawn blindly; `shares` are probabilities by score, from the scale's low end."""

    name: str
    shares: tuple[float, ...]

    def reward(self, label: float, *, scale: Scale, reward: Reward) -> float:
        """Return what it earns on a label in expectation, in [0, 1]."""
        return sum(
            share * pay(value, label, scale=scale, reward=reward)
            for value, share in zip(scale.values, self.shares, strict=True)
        )


@dataclass(frozen=True)
class Lift:
    """Trained minus the best of base and floors, in units of reward, on the same rows.

    Attributes:
        value: Difference of the means.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        reference: What it was compared with.
        verdict: One line for people.
    """

    value: float
    low: float
    high: float
    reference: str
    verdict: str


def fit_floors(labels: Sequence[float], *, scale: Scale, reward: Reward) -> tuple[Floor, ...]:
    """Return the floors of training labels: the constant that earns most on them, their shares, uniform.

    >>> from rrm_api.spec_data import LinearReward
    >>> paid = Reward(linear=LinearReward())
    >>> [floor.name for floor in fit_floors([3, 3, 4], scale=Scale(0, 4), reward=paid)]
    ['constant-3', 'label-shares', 'uniform']
    """
    counts = [sum(label == value for label in labels) for value in scale.values]
    shares = tuple(count / len(labels) for count in counts)
    constants = [
        Floor(f"constant-{value}", tuple(float(value == other) for other in scale.values))
        for value in scale.values
    ]
    best = max(constants, key=lambda floor: _earned(floor, labels, scale=scale, reward=reward))
    uniform = Floor("uniform", tuple(1 / len(scale.values) for _ in scale.values))
    return (best, Floor("label-shares", shares), uniform)


def score_floors(
    floors: Sequence[Floor], labels: Sequence[float], *, scale: Scale, reward: Reward
) -> dict[str, float]:
    """Return the mean reward of each floor on labels it was not fitted on."""
    return {floor.name: _earned(floor, labels, scale=scale, reward=reward) for floor in floors}


def lift(
    trained: Sequence[ScoredRow],
    base: Sequence[ScoredRow],
    floors: Mapping[str, Mapping[str, float]],
    *,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> Lift:
    """Return how much more the trained judge earns than the best of base and floors.

    Paired on rows; several answers to a row are averaged. The interval is a bootstrap that draws whole
    prompts, because rows of one prompt are alike; the best reference is chosen anew in each draw.

    Args:
        trained: Answers of the trained judge.
        base: Answers of the untrained one to the same rows.
        floors: Expected reward of each floor by row id.
        seed: Seed of the draws.
        resamples: Number of draws.

    Raises:
        ValueError: If trained and base answered different rows.
    """
    groups = {row.row_id: row.prompt_group for row in trained}
    ours, theirs = _mean_by_row(trained), _mean_by_row(base)
    if lone := ours.keys() ^ theirs.keys():
        raise ValueError(f"lift is paired: {len(lone)} rows were answered by one side only")
    sides = (ours, theirs, *floors.values())
    rewards = np.array([[side[row] for row in ours] for side in sides])  # (1 + references, rows)
    sums, counts = _by_group(rewards, [groups[row] for row in ours])
    means = sums.sum(axis=1) / counts.sum()
    value = float(means[0] - means[1:].max())
    reference = (BASE, *floors)[int(means[1:].argmax())]
    draws = _draws(sums, counts, seed=seed, resamples=resamples)
    low, high = (float(end) for end in np.percentile(draws, _INTERVAL))
    return Lift(value, low, high, reference, _verdict(value, float(draws.std()), reference))


def floors_by_row(
    floors: Sequence[Floor], rows: Sequence[ScoredRow], *, scale: Scale, reward: Reward
) -> dict[str, dict[str, float]]:
    """Return the expected reward of each floor by row id, as `lift` takes it."""
    return {
        floor.name: {row.row_id: floor.reward(row.label, scale=scale, reward=reward) for row in rows}
        for floor in floors
    }


def _earned(floor: Floor, labels: Sequence[float], *, scale: Scale, reward: Reward) -> float:
    counts = Counter(labels)
    earned = sum(n * floor.reward(label, scale=scale, reward=reward) for label, n in sorted(counts.items()))
    return earned / len(labels)


def _mean_by_row(rows: Sequence[ScoredRow]) -> dict[str, float]:
    earned: dict[str, list[float]] = {}
    for row in rows:
        earned.setdefault(row.row_id, []).append(row.reward)
    return {row: float(np.mean(values)) for row, values in sorted(earned.items())}


def _by_group(rewards: Floats, groups: Sequence[str]) -> tuple[Floats, Floats]:
    """Return sums (sides, groups) and row counts (groups,) of each prompt."""
    names, index = np.unique(groups, return_inverse=True)
    sums = np.array([np.bincount(index, weights=side, minlength=len(names)) for side in rewards])
    sums = sums.astype(np.float64)
    return sums, np.bincount(index, minlength=len(names)).astype(np.float64)


def _draws(sums: Floats, counts: Floats, *, seed: int, resamples: int) -> Floats:
    """Return the lift of each draw of prompts with replacement."""
    size = len(counts)
    times = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    means = (times @ sums.T) / (times @ counts)[:, None]  # (resamples, sides)
    return np.asarray(means[:, 0] - means[:, 1:].max(axis=1))


def _verdict(value: float, error: float, reference: str) -> str:
    """Return what the lift means; within two standard errors of zero nothing is claimed."""
    than = _NAMES.get(reference, reference)
    than = "the best constant" if than.startswith("constant-") else than
    than = f"the {than}" if than == BASE else than
    if value < 0:
        return f"NOT LEARNING (below {than})"
    if value <= 2 * error:
        return f"NOT LEARNING (within two standard errors of {than})"
    return f"LEARNING (above {than})"
