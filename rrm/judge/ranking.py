"""Lift in what no prior can earn: rank correlation and kappa of scores, untied accuracy of verdicts.

The reward of a pointwise judge hardly sees signal: on HelpSteer2 a ridge that ranks answers clearly better
than chance earns 0.01 more than a constant. So the lift is measured on both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rrm.judge.agreement import Floats, Integers
from rrm.judge.baselines import BASE, RESAMPLES, Floor
from rrm.judge.lift import Lift, Statistic, kappa_of, lift_of, mean_of, spearman_of
from rrm.judge.scored import ScoredRow
from rrm.judge.surface import Guess
from rrm.scales import PREFERENCE, Scale

BLIND: Final = "blind"
"""Stands for every floor that does not look at the row: it ranks nothing, so it earns 0."""


@dataclass(frozen=True)
class References:
    """What a trained judge is compared with, beside the untrained one.

    Attributes:
        blind: Floors that do not look at the row.
        guesses: What floors that look at its surface say, by floor and row id; each about all rows.
    """

    blind: Sequence[Floor] = ()
    guesses: Mapping[str, Mapping[str, Guess]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Said:
    """What one side said, one entry per answer: place of its prompt, label, score, verdict, chance to hit."""

    groups: Integers
    labels: Floats
    scores: Floats
    verdicts: Integers
    hits: Floats


def rank_lifts(
    trained: Sequence[ScoredRow],
    base: Sequence[ScoredRow],
    references: References,
    *,
    scale: Scale,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> tuple[Lift, ...]:
    """Return the lifts in `spearman` and `qwk`, or of pairs in `accuracy_untied` (none if all are ties).

    Each answer counts by itself, also where a row was answered several times; floors answer a row once.

    Args:
        trained: Answers of the trained judge.
        base: Answers of the untrained one to the same rows.
        references: Floors.
        scale: Range of the labels; `PREFERENCE` for pairs.
        seed: Seed of the draws.
        resamples: Number of draws.
    """
    once = list({row.row_id: row for row in trained}.values())
    place = {name: i for i, name in enumerate(sorted({row.prompt_group for row in once}))}
    groups = {row.row_id: place[row.prompt_group] for row in once}
    ours, theirs = _answered(trained, groups), {BASE: _answered(base, groups)}
    theirs |= {name: _guessed(once, groups, said) for name, said in references.guesses.items()}
    if scale == PREFERENCE:
        theirs |= {floor.name: _drawn(once, groups, floor) for floor in references.blind}
        metrics = ["accuracy_untied"] if ours.labels.any() else []
    else:
        metrics = ["spearman", "qwk"]
    lifts = []
    for metric in metrics:
        rivals = {name: _statistic(metric, said, len(place), scale) for name, said in theirs.items()}
        rivals |= {BLIND: _zero} if scale != PREFERENCE else {}
        statistic = _statistic(metric, ours, len(place), scale)
        lifts.append(lift_of(metric, statistic, rivals, prompts=len(place), seed=seed, resamples=resamples))
    return tuple(lifts)


def _statistic(metric: str, said: _Said, prompts: int, scale: Scale) -> Statistic:
    match metric:
        case "spearman":
            return spearman_of(said.labels, said.scores, said.groups)
        case "qwk":
            labels = np.rint(said.labels).astype(np.int64)
            return kappa_of(labels, said.verdicts, said.groups, prompts=prompts, scale=scale)
        case _:
            is_untied = said.labels != 0
            return mean_of(said.hits[is_untied], said.groups[is_untied], prompts)


def _answered(rows: Sequence[ScoredRow], groups: Mapping[str, int]) -> _Said:
    predictions = [row.prediction for row in rows]
    hits = [row.hits for row in rows]
    return _said(rows, groups, scores=predictions, verdicts=predictions, hits=hits)


def _guessed(rows: Sequence[ScoredRow], groups: Mapping[str, int], said: Mapping[str, Guess]) -> _Said:
    guesses = [said[row.row_id] for row in rows]
    verdicts = [guess.verdict for guess in guesses]
    hits = [float(verdict == row.label) for verdict, row in zip(verdicts, rows, strict=True)]
    return _said(rows, groups, scores=[guess.score for guess in guesses], verdicts=verdicts, hits=hits)


def _drawn(rows: Sequence[ScoredRow], groups: Mapping[str, int], floor: Floor) -> _Said:
    """Return what a blind floor says of pairs: only its chance to hit is of use, of both orders if asked."""
    chances = dict(zip(PREFERENCE.values, floor.shares, strict=True))
    orders = [(row.label, -row.label if row.is_joint else row.label) for row in rows]
    hits = [(chances[int(there)] + chances[int(back)]) / 2 for there, back in orders]
    nothing = [0.0] * len(rows)
    return _said(rows, groups, scores=nothing, verdicts=nothing, hits=hits)


def _said(
    rows: Sequence[ScoredRow],
    groups: Mapping[str, int],
    *,
    scores: Sequence[float],
    verdicts: Sequence[float],
    hits: Sequence[float],
) -> _Said:
    return _Said(
        groups=np.array([groups[row.row_id] for row in rows], dtype=np.int64),
        labels=np.array([row.label for row in rows], dtype=np.float64),
        scores=np.array(scores, dtype=np.float64),
        verdicts=np.array(verdicts, dtype=np.int64),
        hits=np.array(hits, dtype=np.float64),
    )


def _zero(times: Floats) -> Floats:
    return np.zeros(len(times))
