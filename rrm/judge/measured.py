"""The lift of a training, from what lies on its volume: paired answers of untrained and trained judge."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rrm.judge.baselines import Floor, Lift, floors_by_row, lift
from rrm.judge.guesses_file import FLOORS_FILE, Guesses, read_guesses
from rrm.judge.metrics import ScoredRow, judge_metrics, spearman
from rrm.judge.ranking import References, rank_lifts
from rrm.judge.surface import Guess
from rrm.judge.untied import untied_pairs
from rrm.scales import PREFERENCE, Scale
from rrm.train.answers import read_answers
from rrm_api.run import Layout, RunFile

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """How a trained judge stands beside the untrained one and all floors, on the same rows.

    Attributes:
        reward: Lift in the reward: what training aimed at.
        ranking: Lifts in `spearman` and `qwk`, or of pairs in `accuracy_untied`: what a prior cannot earn.
        floors: Metrics of each floor, as `judge_metrics` names them; a floor that draws has only `reward`.
    """

    reward: Lift
    ranking: tuple[Lift, ...]
    floors: Mapping[str, Mapping[str, float]]


def measure_lift(run: RunFile, layout: Layout, step: int, scale: Scale) -> Lift | None:
    """Return the lift in reward of a step, or None as `measure` does."""
    measured = measure(run, layout, step, scale)
    return None if measured is None else measured.reward


def measure(run: RunFile, layout: Layout, step: int, scale: Scale) -> Measured | None:
    """Return all lifts of a step; None if base or checkpoint was not validated, or each on other rows."""
    base, trained = newest_answers(layout, 0), newest_answers(layout, step)
    if base is None or trained is None:
        return None
    rows, base_rows = ([row for row in read_answers(path) if row.has_label] for path in (trained, base))
    if not rows or {row.row_id for row in rows} != {row.row_id for row in base_rows}:
        LOG.warning(
            "the lift is not measured: %s and %s hold no answers to the same labelled rows", base, trained
        )
        return None
    seed, blind = run.intent.data.seed, read_floors(layout)
    guesses = _about(rows, read_guesses(layout.data / FLOORS_FILE))
    earned = floors_by_row(blind, rows, scale=scale, reward=run.intent.reward)
    for name, by_row in guesses.items():
        rewards = {row_id: guess.reward for row_id, guess in by_row.items() if guess.reward is not None}
        earned |= {name: rewards} if rewards else {}
    references = References(blind, guesses)
    return Measured(
        reward=lift(rows, base_rows, earned, seed=seed),
        ranking=rank_lifts(rows, base_rows, references, scale=scale, seed=seed),
        floors=floor_metrics(rows, references, earned, scale),
    )


def floor_metrics(
    rows: Sequence[ScoredRow],
    references: References,
    earned: Mapping[str, Mapping[str, float]],
    scale: Scale,
) -> dict[str, dict[str, float]]:
    """Return the metrics of each floor on the rows of a judge.

    Args:
        rows: Answers of any judge to all the rows; only row, prompt and label are looked at.
        references: The floors.
        earned: Reward of each floor by row id; of a floor that is not in it the reward is left out.
        scale: Range of the labels.
    """
    once = [replace(row, parse_ok=True, truncated=False) for row in {r.row_id: r for r in rows}.values()]
    found: dict[str, dict[str, float]] = {}
    for floor in references.blind:
        constant = next((v for v, share in zip(scale.values, floor.shares, strict=True) if share == 1), None)
        if constant is None:
            found[floor.name] = {}
        else:
            found[floor.name] = judge_metrics([_always(row, constant) for row in once], scale)
    for name, by_row in references.guesses.items():
        found[name] = _surface_metrics(once, by_row, scale)
    return {name: _paid(metrics, earned.get(name)) for name, metrics in found.items()}


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
    """Return the blind floors that were fitted when the rows were prepared; others are in `FLOORS_FILE`."""
    report = json.loads((layout.data / "data.json").read_text(encoding="utf-8"))
    floors = report["floors"].items()
    return tuple(Floor(name, tuple(floor["shares"])) for name, floor in floors if "shares" in floor)


def _about(rows: Sequence[ScoredRow], guesses: Guesses) -> Guesses:
    """Return what each floor says about these very rows, without floors that miss one."""
    wanted = {row.row_id for row in rows}
    kept: Guesses = {}
    for floor, by_row in guesses.items():
        if missing := len(wanted - by_row.keys()):
            LOG.warning("the floor %s is left out: it says nothing about %d rows", floor, missing)
        else:
            kept[floor] = {row_id: by_row[row_id] for row_id in wanted}
    return kept


def _always(row: ScoredRow, verdict: int) -> ScoredRow:
    """Return the row as a floor answers that says the same of any pair, whichever way round it is shown."""
    hits = (float(verdict == row.label) + float(verdict == -row.label)) / 2
    return replace(row, prediction=verdict, acc=hits, swap_consistent=float(verdict == 0))


def _reading(row: ScoredRow, verdict: int) -> ScoredRow:
    """Return the row as a floor answers that looks at the answers: in the other order its verdict turns."""
    return replace(row, prediction=verdict, acc=float(verdict == row.label), swap_consistent=1.0)


def _surface_metrics(once: Sequence[ScoredRow], said: Mapping[str, Guess], scale: Scale) -> dict[str, float]:
    metrics = judge_metrics([_reading(row, said[row.row_id].verdict) for row in once], scale)
    if scale != PREFERENCE:
        # Scores rank more finely than whole numbers do; the lift compares with the finer one.
        ranked = [replace(row, prediction=said[row.row_id].score) for row in once]
        pairs = untied_pairs(ranked)
        scores = np.array([row.prediction for row in ranked])
        metrics["spearman"] = spearman([row.label for row in ranked], scores)
        metrics |= {"untied": pairs.strict, "untied_half": pairs.half} if pairs.pairs else {}
    return metrics


def _paid(metrics: Mapping[str, float], earned: Mapping[str, float] | None) -> dict[str, float]:
    """Return metrics with the floor's own reward: that of the rows was the judge's."""
    others = {name: value for name, value in metrics.items() if name != "reward"}
    return others if earned is None else {"reward": float(np.mean(list(earned.values()))), **others}
