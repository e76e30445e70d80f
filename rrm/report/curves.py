"""Which numbers become which picture: a table, and the lines that a report has for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rrm.report.gather import Report
from rrm_api.spec_train import Method

Points = tuple[tuple[float, float], ...]
"""(step, value), by step."""
VALIDATION: Final = "validation:"
"""Prefix of a series that is measured at validations; the others at every step."""


@dataclass(frozen=True)
class Wanted:
    """A line of a chart: its name, its series, its colour, and other names under which it may be logged."""

    name: str
    keys: tuple[str, ...]
    colour: str = "one"


@dataclass(frozen=True)
class ChartSpec:
    """A chart: what it shows, what one should look for, which lines, and the bounds of its y axis."""

    title: str
    hint: str
    lines: tuple[Wanted, ...]
    low: float | None = None
    high: float | None = None


HERO: Final = ChartSpec(
    "Validation reward",
    "The judge must rise above every dashed line: answers that need no model, and the untrained one.",
    (Wanted("judge", ("validation:reward",)),),
)
SCORES: Final = ChartSpec(
    "Agreement with the labels",
    "On the validation rows; QWK and Spearman of a constant are 0.",
    (
        Wanted("exact", ("validation:exact",)),
        Wanted("QWK", ("validation:qwk",), "two"),
        Wanted("Spearman", ("validation:spearman",), "three"),
    ),
)
VERDICTS: Final = ChartSpec(
    "Agreement with the labels",
    "On the validation pairs; untied leaves out those that people tied.",
    (
        Wanted("accuracy", ("validation:accuracy",)),
        Wanted("untied", ("validation:accuracy_untied",), "two"),
        Wanted("same both ways", ("validation:swap_consistency",), "three"),
    ),
)
CHARTS: Final = (
    ChartSpec(
        "Training reward",
        "Mean over each step's answers.",
        (Wanted("reward", ("critic/score/mean", "critic/rewards/mean")),),
    ),
    ChartSpec(
        "Readable answers",
        "Share from which a verdict could be read.",
        (
            Wanted("training", ("rrm/parse_ok",)),
            Wanted("validation", ("validation:parse_rate",), "two"),
        ),
        low=0,
        high=1,
    ),
    ChartSpec(
        "Cut off at the length limit",
        "Share of the answers, told apart by right and wrong.",
        (
            Wanted("all", ("rrm/truncated", "response_length/clip_ratio")),
            Wanted("right", ("rrm/clip_right",), "good"),
            Wanted("wrong", ("rrm/clip_wrong",), "bad"),
        ),
        low=0,
    ),
    ChartSpec(
        "Entropy",
        "How unsure the judge is of its words, told apart by right and wrong answers.",
        (
            Wanted("all", ("actor/entropy", "actor/entropy_loss")),
            Wanted("right", ("rrm/entropy_right",), "good"),
            Wanted("wrong", ("rrm/entropy_wrong",), "bad"),
        ),
        low=0,
    ),
    ChartSpec(
        "KL to the starting model",
        "How far the weights have moved.",
        (Wanted("KL", ("actor/kl_loss", "actor/reward_kl_penalty")),),
    ),
    ChartSpec(
        "Policy clip fraction",
        "Share of tokens whose update was clipped.",
        (Wanted("clipped", ("actor/pg_clipfrac",)),),
        low=0,
    ),
    ChartSpec(
        "Prompts that teach nothing",
        "Share whose answers all earned the same.",
        (Wanted("zero variance", ("rrm/zero_variance_share",)),),
        low=0,
        high=1,
    ),
    ChartSpec(
        "Answer length",
        "Tokens, mean over each step.",
        (Wanted("tokens", ("response_length/mean",)),),
        low=0,
    ),
    ChartSpec(
        "Engine agreement",
        "Largest difference between the engine's and the trainer's probability of a token.",
        (Wanted("difference", ("training/rollout_probs_diff_max",)),),
        low=0,
    ),
    ChartSpec(
        "Throughput",
        "Tokens per second and GPU.",
        (Wanted("tokens", ("perf/throughput",)),),
        low=0,
    ),
    ChartSpec(
        "Seconds per step",
        "Rollout, update, save and validation together.",
        (Wanted("seconds", ("timing_s/step",)),),
        low=0,
    ),
)


@dataclass(frozen=True)
class Found:
    """A chart's lines as far as the report has them, and the names of those it lacks."""

    spec: ChartSpec
    lines: tuple[tuple[Wanted, Points], ...]
    absent: tuple[str, ...]


def charts_of(method: Method) -> tuple[ChartSpec, ...]:
    """Return the charts of a method, without the first and largest."""
    return (CHARTS[0], VERDICTS if method is Method.PAIRWISE else SCORES, *CHARTS[1:])


def found_in(report: Report, spec: ChartSpec) -> Found:
    """Return the lines of a chart that the training logged."""
    lines = tuple((line, points_of(report, line.keys)) for line in spec.lines)
    return Found(
        spec=spec,
        lines=tuple((line, points) for line, points in lines if points),
        absent=tuple(line.name for line, points in lines if not points),
    )


def points_of(report: Report, keys: tuple[str, ...]) -> Points:
    """Return the series of the first key that was logged at all."""
    for key in keys:
        table: Mapping[int, Mapping[str, float]] = report.steps
        name = key
        if key.startswith(VALIDATION):
            table, name = report.validations, key.removeprefix(VALIDATION)
        points = tuple((float(step), row[name]) for step, row in sorted(table.items()) if name in row)
        if points:
            return points
    return ()


def resumed_at(report: Report) -> tuple[int, ...]:
    """Return the steps at which attempts went on; 0 is no resume."""
    return tuple(sorted({attempt.from_step for attempt in report.attempts if attempt.from_step}))
