"""Floors that look at the surface of answers: their length, or twelve surface features in a ridge.

Fitted on the training rows, scored on the validation rows. A judge below them has learned nothing that
counting words would not have told; on human chat pairs length alone names the better answer 65-72 % of the
time, on benchmarks made against that habit it is wrong as often.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rrm.judge.agreement import Floats, Integers
from rrm.judge.baselines import swap_weight
from rrm.judge.features import FEATURES, surface_features
from rrm.rewards.payment import pay
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import LinearReward, Reward

PENALTY: Final = 1.0
"""Ridge penalty on features of mean 0 and deviation 1. It keeps features that say nearly the same (length in
characters and in words) from cancelling at huge weights; from 0.1 to 100 it moves the rank correlation on
1,000 HelpSteer2 rows by less than 0.01."""
MOST_BINS: Final = 20
ROWS_PER_BIN: Final = 50
"""A bin's best constant is chosen on its rows: fewer than these and it would follow their noise."""
_LENGTH: Final = FEATURES.index("log_length")


@dataclass(frozen=True)
class FloorRow:
    """What the floors see of a row; texts may be forgotten once they were measured.

    Attributes:
        row_id: Row of the prepared data.
        question: Text of the conversation.
        answers: Text of the one answer, or of both answers of a pair, A first.
        label: Truth on the scale.
        strength: How clear the preference of a pair is, in [0, 1].
    """

    row_id: str
    question: str
    answers: tuple[str, ...]
    label: float
    strength: float = 1.0


@dataclass(frozen=True)
class Guess:
    """What a floor says about one row.

    Attributes:
        floor: Its name.
        row_id: The row.
        score: What it ranks answers by; any real number, higher = better (of pairs: B is better).
        verdict: Its prediction, a whole number on the scale.
        reward: What that earns; None where only the user's own function knows.
    """

    floor: str
    row_id: str
    score: float
    verdict: int
    reward: float | None


@dataclass(frozen=True)
class _Measured:
    """Rows as numbers: ids and, by row, features (rows, 12), label and strength."""

    row_ids: tuple[str, ...]
    features: Floats
    labels: tuple[float, ...]
    strengths: tuple[float, ...]


def fit_surface_floors(
    train: Iterable[FloorRow], rows: Iterable[FloorRow], *, scale: Scale, reward: Reward
) -> tuple[Guess, ...]:
    """Return what surface floors that were fitted on `train` say about `rows`, floor by floor.

    Pointwise: `length-rule` (the best constant of each bin of length, rising or falling) and `surface-ridge`
    (a ridge on twelve features, then the best constant of each bin of it, rising). Pairwise, on the scale
    `PREFERENCE`: `longer-wins`, `shorter-wins` (nothing is fitted; equal lengths are a tie) and
    `surface-ridge` (on the features of B minus those of A, without constant: it cannot look at the place).

    Both arguments are read once; of each row twelve numbers are kept.

    Raises:
        ValueError: If there are no training rows, or a row has not the method's number of answers.
    """
    fitted, measured = _measure(train, scale), _measure(rows, scale)
    if not fitted.row_ids:
        raise ValueError("surface floors of no rows: at least one training row is required")
    guessed = _pairwise if scale == PREFERENCE else _pointwise
    earned = _Earned(scale, reward)
    return tuple(
        Guess(floor, row_id, round(float(score), 6), int(verdict), earned(int(verdict), label, strength))
        for floor, scores, verdicts in guessed(fitted, measured, _Earned(scale, _payable(reward)))
        for row_id, label, strength, score, verdict in zip(
            measured.row_ids, measured.labels, measured.strengths, scores, verdicts, strict=True
        )
    )


def mean_rewards(guesses: Iterable[Guess]) -> dict[str, float]:
    """Return the mean reward of each floor; nothing of those whose reward is unknown.

    >>> mean_rewards([Guess("longer-wins", "a", 1, 1, 1.0), Guess("longer-wins", "b", 1, 1, 0.0)])
    {'longer-wins': 0.5}
    """
    earned: dict[str, list[float]] = {}
    for guess in guesses:
        if guess.reward is not None:
            earned.setdefault(guess.floor, []).append(guess.reward)
    return {floor: float(np.mean(rewards)) for floor, rewards in earned.items()}


@dataclass(frozen=True)
class _Earned:
    """What a verdict earns; of a floor that reads the answers, so in both orders alike."""

    scale: Scale
    reward: Reward

    def __call__(self, verdict: int, label: float, strength: float) -> float | None:
        if self.reward.entry_point is not None:
            return None
        once = pay(verdict, label, scale=self.scale, reward=self.reward, strength=strength)
        weight = swap_weight(self.reward)
        return (1 - weight) * once + weight * float(verdict == label)


_Guessed = tuple[str, Floats, Integers]
"""A floor's name, scores and verdicts by row."""


def _pointwise(train: _Measured, rows: _Measured, earned: _Earned) -> list[_Guessed]:
    length, lengths = train.features[:, _LENGTH], rows.features[:, _LENGTH]
    rules = [(sign, _fit_bins(sign * length, train, earned)) for sign in (1, -1)]
    sign, rule = max(rules, key=lambda found: found[1].earned)
    predict = _fit_ridge(train.features, np.array(train.labels), has_constant=True)
    ridge = _fit_bins(predict(train.features), train, earned)
    scores = predict(rows.features)
    return [
        ("length-rule", sign * lengths, rule.verdicts(sign * lengths)),
        ("surface-ridge", scores, ridge.verdicts(scores)),
    ]


def _pairwise(train: _Measured, rows: _Measured, earned: _Earned) -> list[_Guessed]:
    longer = np.sign(rows.features[:, _LENGTH])
    predict = _fit_ridge(train.features, np.array(train.labels), has_constant=False)
    scores = predict(rows.features)
    return [
        ("longer-wins", longer, longer.astype(np.int64)),
        ("shorter-wins", -longer, -longer.astype(np.int64)),
        ("surface-ridge", scores, np.sign(scores.round(6)).astype(np.int64)),
    ]


@dataclass(frozen=True)
class _Bins:
    """A rising step function: `values` has one entry more than `edges`; what it earned in all on its rows."""

    edges: Floats
    values: Integers
    earned: float

    def verdicts(self, scores: Floats) -> Integers:
        return np.asarray(self.values[np.searchsorted(self.edges, scores, side="right")], dtype=np.int64)


def _fit_bins(scores: Floats, rows: _Measured, earned: _Earned) -> _Bins:
    """Return the rising step function over equally full bins of scores that earns most on the rows."""
    bins = min(MOST_BINS, max(1, len(scores) // ROWS_PER_BIN))
    edges = np.unique(np.quantile(scores, np.arange(1, bins) / bins))
    index = np.searchsorted(edges, scores, side="right")
    paid = np.zeros((len(edges) + 1, earned.scale.range + 1))  # (bin, value)
    for bin_, label, strength in zip(index, rows.labels, rows.strengths, strict=True):
        paid[bin_] += [earned(value, label, strength) or 0.0 for value in earned.scale.values]
    total, chosen = _rising(paid)
    return _Bins(edges, chosen + earned.scale.low, total)


def _rising(paid: Floats) -> tuple[float, Integers]:
    """Return the most that a rising choice of one column per row earns, and the columns.

    >>> _rising(np.array([[1., 0., 0.], [0., 5., 2.], [3., 0., 0.]]))[1].tolist()
    [0, 1, 1]
    """
    sums = np.zeros(paid.shape[1])
    before = np.zeros(paid.shape, dtype=np.int64)  # (row, column) -> best column of the row above
    for i, row in enumerate(paid):
        best = np.maximum.accumulate(sums)
        before[i] = [int(np.argmax(sums[: column + 1])) for column in range(len(sums))]
        sums = best + row
    columns = [int(sums.argmax())]
    for row in before[:0:-1]:
        columns.append(int(row[columns[-1]]))
    return float(sums.max()), np.array(columns[::-1], dtype=np.int64)


def _fit_ridge(features: Floats, labels: Floats, *, has_constant: bool) -> Callable[[Floats], Floats]:
    """Return the ridge regression of labels on features, in closed form."""
    middle = features.mean(axis=0) if has_constant else np.zeros(features.shape[1])
    spread = np.sqrt(((features - middle) ** 2).mean(axis=0))
    spread[spread == 0] = 1.0
    constant = float(labels.mean()) if has_constant else 0.0
    scaled = (features - middle) / spread
    normal = scaled.T @ scaled + PENALTY * np.eye(scaled.shape[1])
    weights = np.linalg.solve(normal, scaled.T @ (labels - constant))

    def predict(found: Floats) -> Floats:
        return np.asarray((found - middle) / spread @ weights + constant)

    return predict


def _measure(rows: Iterable[FloorRow], scale: Scale) -> _Measured:
    row_ids, labels, strengths = [], [], []
    features: list[Floats] = []
    for row in rows:
        row_ids.append(row.row_id)
        labels.append(row.label)
        strengths.append(row.strength)
        features.append(_features(row, answers=2 if scale == PREFERENCE else 1))
    shaped = np.array(features, dtype=np.float64).reshape(len(features), len(FEATURES))
    return _Measured(tuple(row_ids), shaped, tuple(labels), tuple(strengths))


def _features(row: FloorRow, *, answers: int) -> Floats:
    if len(row.answers) != answers:
        raise ValueError(f"row {row.row_id}: expected {answers} answers, found {len(row.answers)}")
    found: Sequence[Floats] = [surface_features(row.question, answer) for answer in row.answers]
    return found[0] if answers == 1 else found[1] - found[0]


def _payable(reward: Reward) -> Reward:
    """Return the reward that verdicts are chosen by: distance, where the user's function pays."""
    return Reward(linear=LinearReward()) if reward.entry_point is not None else reward
