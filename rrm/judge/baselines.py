"""Floors: what answers earn that look at nothing but the training labels, and the lift over them.

A judge that does not beat the best floor and the untrained model has learned at most how labels are spread.
Floors that look at the surface of the answers are in `rrm.judge.surface`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rrm.judge.agreement import Integers
from rrm.judge.lift import BASE, RESAMPLES, Lift, Statistic, lift_of, mean_of
from rrm.judge.scored import ScoredRow
from rrm.rewards.payment import pay
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import Reward

__all__ = [
    "BASE",
    "RESAMPLES",
    "Floor",
    "Lift",
    "fit_floors",
    "floors_by_row",
    "lift",
    "mean_by_row",
    "score_floors",
]

_ALWAYS: Final = {-1: "always-first", 0: "always-tie", 1: "always-second"}


@dataclass(frozen=True)
class Floor:
    """An answer drawn blindly; `shares` are probabilities by score, from the scale's low end."""

    name: str
    shares: tuple[float, ...]

    def reward(self, label: float, *, scale: Scale, reward: Reward, strength: float = 1.0) -> float:
        """Return what it earns on a label in expectation, in units of the reward.

        Where the reward asks for both orders of a pair, an answer is drawn for each.
        """
        first = self._one(label, scale=scale, reward=reward, strength=strength)
        weight = swap_weight(reward)
        if weight == 0:
            return first
        second = self._one(-label, scale=scale, reward=reward, strength=strength)
        twice = self._hits(label, scale) * self._hits(-label, scale)
        return (1 - weight) * (first + second) / 2 + weight * twice

    def _one(self, label: float, *, scale: Scale, reward: Reward, strength: float) -> float:
        return sum(
            share * pay(value, label, scale=scale, reward=reward, strength=strength)
            for value, share in zip(scale.values, self.shares, strict=True)
            if share
        )

    def _hits(self, label: float, scale: Scale) -> float:
        return sum(share for value, share in zip(scale.values, self.shares, strict=True) if value == label)


def swap_weight(reward: Reward) -> float:
    """Return the share of the reward that only two right verdicts earn; above 0 both orders are asked."""
    return 0.0 if reward.pairwise is None else float(reward.pairwise.swap_consistency_weight)


def fit_floors(labels: Sequence[float], *, scale: Scale, reward: Reward) -> tuple[Floor, ...]:
    """Return the floors of training labels: the constant that earns most on them, their shares, uniform.

    Of pairs each constant is one: always the first answer, always a tie, always the second. What a user's
    own reward pays is known only when it is called on an answer, so it has no floors.

    >>> from rrm_api.spec_data import LinearReward
    >>> paid = Reward(linear=LinearReward())
    >>> [floor.name for floor in fit_floors([3, 3, 4], scale=Scale(0, 4), reward=paid)]
    ['constant-3', 'label-shares', 'uniform']
    """
    if reward.entry_point is not None:
        return ()
    counts = [sum(label == value for label in labels) for value in scale.values]
    shares = tuple(count / len(labels) for count in counts)
    constants = tuple(
        Floor(_name(value, scale), tuple(float(value == other) for other in scale.values))
        for value in scale.values
    )
    clear = Counter((label, 1.0) for label in labels)
    best = max(constants, key=lambda floor: _earned(floor, clear, scale=scale, reward=reward))
    uniform = Floor("uniform", tuple(1 / len(scale.values) for _ in scale.values))
    kept = constants if scale == PREFERENCE else (best,)
    return (*kept, Floor("label-shares", shares), uniform)


def score_floors(
    floors: Sequence[Floor],
    labels: Sequence[float],
    *,
    scale: Scale,
    reward: Reward,
    strengths: Sequence[float] | None = None,
) -> dict[str, float]:
    """Return the mean reward of each floor on labels it was not fitted on.

    Args:
        floors: What was fitted.
        labels: Truth by row.
        scale: Range of the labels.
        reward: Kind and weights.
        strengths: How clear the preference of each pair is, in [0, 1]; None = as clear as can be.
    """
    clear = [1.0] * len(labels) if strengths is None else strengths
    counts = Counter(zip(labels, clear, strict=True))
    return {floor.name: _earned(floor, counts, scale=scale, reward=reward) for floor in floors}


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
    ours, theirs = mean_by_row(trained), mean_by_row(base)
    if lone := ours.keys() ^ theirs.keys():
        raise ValueError(f"lift is paired: {len(lone)} rows were answered by one side only")
    names, found = np.unique([groups[row] for row in ours], return_inverse=True)
    index: Integers = found.astype(np.int64)

    def mean(side: Mapping[str, float]) -> Statistic:
        return mean_of([side[row] for row in ours], index, len(names))

    references = {name: mean(side) for name, side in {BASE: theirs, **floors}.items()}
    return lift_of("reward", mean(ours), references, prompts=len(names), seed=seed, resamples=resamples)


def floors_by_row(
    floors: Sequence[Floor], rows: Sequence[ScoredRow], *, scale: Scale, reward: Reward
) -> dict[str, dict[str, float]]:
    """Return the expected reward of each floor by row id, as `lift` takes it."""
    return {
        floor.name: {
            row.row_id: floor.reward(row.label, scale=scale, reward=reward, strength=row.strength)
            for row in rows
        }
        for floor in floors
    }


def mean_by_row(rows: Sequence[ScoredRow]) -> dict[str, float]:
    """Return the mean reward of the answers to each row, by row id, sorted."""
    earned: dict[str, list[float]] = {}
    for row in rows:
        earned.setdefault(row.row_id, []).append(row.reward)
    return {row: float(np.mean(values)) for row, values in sorted(earned.items())}


def _name(value: int, scale: Scale) -> str:
    return _ALWAYS[value] if scale == PREFERENCE else f"constant-{value}"


def _earned(floor: Floor, counts: Counter[tuple[float, float]], *, scale: Scale, reward: Reward) -> float:
    """Return the mean reward on rows that are counted by label and strength."""
    earned = sum(
        n * floor.reward(label, scale=scale, reward=reward, strength=strength)
        for (label, strength), n in sorted(counts.items())
    )
    return earned / counts.total()
