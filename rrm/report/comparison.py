"""Two judges on the very same rows: every metric side by side, and how sure the difference is.

Paired, and drawn by whole prompts as the lift is, since rows of one prompt are alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rrm.errors import DataInvalid
from rrm.judge.agreement import Integers
from rrm.judge.lift import Lift, Statistic, kappa_of, lift_of, mean_of, spearman_of
from rrm.judge.metrics import judge_metrics
from rrm.judge.scored import ScoredRow
from rrm.report.answers import read_scale
from rrm.report.find import Side
from rrm.report.reading import Gaps
from rrm.report.setup import hyperparameters_of, settings_of
from rrm.scales import PREFERENCE, Scale
from rrm.train.answers import read_answers
from rrm_api.run import RunFile

BETTER_IF_LOWER: Final = frozenset({"mae", "truncated"})
_MEANS: Final[dict[str, Callable[[ScoredRow], float]]] = {
    "reward": lambda row: row.reward,
    "exact": lambda row: float(row.prediction == row.label),
    "accuracy": lambda row: row.hits,
    "mae": lambda row: abs(row.prediction - row.label),
    "parse_rate": lambda row: float(row.parse_ok),
    "truncated": lambda row: float(row.truncated),
}
"""Metrics that are a mean over the answers."""
_OF_ANY: Final = frozenset({"reward", "parse_rate", "truncated"})
"""Those that need no label."""
_OF_BOTH_ORDERS: Final[dict[str, Callable[[ScoredRow], float]]] = {
    "swap_consistency": lambda row: row.swap_consistent,
    "both_orders_right": lambda row: float(row.hits == 1),
}
"""The same where each answer is to both orders of a pair."""


@dataclass(frozen=True)
class Difference:
    """One metric on both sides.

    Attributes:
        metric: Its name.
        first: Value of the first side; None if only the other has it.
        second: Value of the second side.
        change: Second minus first with its interval; None for metrics that are only stated.
    """

    metric: str
    first: float | None
    second: float | None
    change: Lift | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the change leaves out zero."""
        return self.change is not None and (self.change.low > 0 or self.change.high < 0)


@dataclass(frozen=True)
class Comparison:
    """What two steps of trainings have in common and where they differ.

    Attributes:
        rows: Rows that both answered.
        prompts: Prompts of these rows.
        differences: Every metric that either side has; the reward first.
        settings: Path -> value of either side, where they differ.
    """

    rows: int
    prompts: int
    differences: tuple[Difference, ...]
    settings: dict[str, tuple[Any, Any]]


def compare(first: Side, second: Side) -> Comparison:
    """Return how two judges compare.

    Raises:
        DataInvalid: They did not answer the same rows with the same labels, or answers cannot be read.
    """
    ours, theirs = _answers(first), _answers(second)
    _require_pairs(first, ours, second, theirs)
    scale = _scale(second, theirs)
    names = sorted({row.prompt_group for row in ours})
    return Comparison(
        rows=len({row.row_id for row in ours}),
        prompts=len(names),
        differences=differences_of(ours, theirs, scale),
        settings=differing_settings(first, second),
    )


def _answers(side: Side) -> list[ScoredRow]:
    try:
        rows = read_answers(side.answers)
    except (OSError, ValueError, TypeError) as error:
        raise DataInvalid(
            expected=f"the validation answers of {side.name}",
            found=str(error).splitlines()[0],
            where=str(side.answers),
            do="take another step, or validate this one again",
        ) from error
    if not rows:
        raise DataInvalid(expected="at least one answer", found="none", where=str(side.answers))
    return rows


def _require_pairs(first: Side, ours: Sequence[ScoredRow], second: Side, theirs: Sequence[ScoredRow]) -> None:
    """Return if both sides answered the same rows."""
    labels = [{row.row_id: row.label if row.has_label else None for row in rows} for rows in (ours, theirs)]
    lone = [sorted(labels[i].keys() - labels[1 - i].keys()) for i in (0, 1)]
    both = labels[0].keys() & labels[1].keys()
    other = sorted(row for row in both if labels[0][row] != labels[1][row])
    if any(lone) or other:
        some = (lone[0] or lone[1] or other)[0]
        raise DataInvalid(
            expected="the same rows with the same labels on both sides",
            found=f"{len(lone[0])} rows only in {first.name}, {len(lone[1])} only in {second.name} and "
            f"{len(other)} with another label, such as {some}",
            where=f"{first.answers} and {second.answers}",
            do="a comparison is paired: compare trainings with the same validation sources, label and "
            "data.seed, or two steps of one training",
        )


def _scale(side: Side, rows: Sequence[ScoredRow]) -> Scale:
    prepared = read_scale(side.layout.data / "validation.parquet", Gaps(side.layout.root))
    if prepared is not None:
        return prepared
    said = [value for row in rows for value in (row.label, row.prediction)]
    low, high = int(min(said)), int(max(said))
    return Scale(low, max(high, low + 1))


def differences_of(
    ours: Sequence[ScoredRow], theirs: Sequence[ScoredRow], scale: Scale
) -> tuple[Difference, ...]:
    """Return every metric of both sides, the reward first.

    >>> a = [ScoredRow("1", "p", 1, 0, 0.5, True), ScoredRow("2", "q", 1, 1, 1.0, True)]
    >>> b = [ScoredRow("1", "p", 1, 1, 1.0, True), ScoredRow("2", "q", 1, 1, 1.0, True)]
    >>> found = differences_of(a, b, Scale(0, 4))[0]
    >>> found.metric, found.first, found.second, found.change.value
    ('reward', 0.75, 1.0, 0.25)
    """
    metrics = [judge_metrics(rows, scale) for rows in (ours, theirs)]
    names = sorted(metrics[0].keys() | metrics[1].keys(), key=lambda name: (name != "reward", name))
    return tuple(
        Difference(name, metrics[0].get(name), metrics[1].get(name), _change(name, ours, theirs, scale))
        for name in names
    )


def _change(metric: str, ours: Sequence[ScoredRow], theirs: Sequence[ScoredRow], scale: Scale) -> Lift | None:
    # Rows are paired, so the first side's prompts serve both, however the second names them.
    index = {name: i for i, name in enumerate(sorted({row.prompt_group for row in ours}))}
    place = {row.row_id: index[row.prompt_group] for row in ours}
    sides = [_statistic(metric, rows, place, scale) for rows in (ours, theirs)]
    if sides[0] is None or sides[1] is None:
        return None
    return lift_of(metric, sides[1], {"the first": sides[0]}, prompts=len(index), seed=1)


def _statistic(
    metric: str, rows: Sequence[ScoredRow], place: dict[str, int], scale: Scale
) -> Statistic | None:
    prompts = max(place.values()) + 1
    if metric not in _OF_ANY:
        rows = [row for row in rows if row.has_label]
    groups: Integers = np.array([place[row.row_id] for row in rows], dtype=np.int64)
    labels = np.array([row.label for row in rows])
    said = np.array([row.prediction for row in rows])
    match metric:
        case "spearman":
            return spearman_of(labels, said, groups)
        case "qwk" if scale != PREFERENCE:
            whole = np.rint(labels).astype(np.int64), said.astype(np.int64)
            return kappa_of(*whole, groups, prompts=prompts, scale=scale)
        case "accuracy_untied":
            untied = labels != 0
            hits = np.array([row.hits for row in rows])
            return mean_of(hits[untied], groups[untied], prompts)
        case "swap_consistency" | "both_orders_right" if all(row.is_joint for row in rows):
            read = _OF_BOTH_ORDERS[metric]
            return mean_of([read(row) for row in rows], groups, prompts)
        case _ if metric in _MEANS:
            return mean_of([_MEANS[metric](row) for row in rows], groups, prompts)
        case _:
            return None


def differing_settings(first: Side, second: Side) -> dict[str, tuple[Any, Any]]:
    """Return the settings in which two trainings differ: those of the spec, and the effective numbers."""
    sides = [_settings(first), _settings(second)]
    names = sorted(sides[0].keys() | sides[1].keys())
    pairs = {name: (sides[0].get(name), sides[1].get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _settings(side: Side) -> dict[str, Any]:
    copy = side.answers.parent / "run.json"
    try:
        run = RunFile.model_validate_json(copy.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"run.json": "not readable"}
    effective = hyperparameters_of(run, Gaps(side.layout.root))
    revision = {"model revision": run.prepared.model_revision, "rows digest": run.prepared.data.digest}
    return {**settings_of(run), **{f"effective {n}": v for n, v in effective.items()}, **revision}
