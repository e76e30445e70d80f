"""Everything a report says, from a training's folder alone: pure reading into frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rrm.errors import VolumeUnavailable
from rrm.judge.lift import Lift
from rrm.judge.measured import Measured, measure, newest_answers
from rrm.report.answers import Sheet, Texts, read_answers, read_scale, sheet_of, truncated_share
from rrm.report.attempts import AttemptSeen, Finding, Steps, read_attempts, stitch
from rrm.report.readers import reader_of
from rrm.report.reading import Gaps, numbers_in, read_json, whole_number
from rrm.report.result import whole_steps
from rrm.report.setup import Cost, Setup, cost_of, read_setup
from rrm.scales import Scale
from rrm.train.checkpoints import best_step
from rrm.train.validations import rewards_of
from rrm_api.run import Layout, RunFile

LOGGED = "rrm/validation/"
"""Prefix of the validation's numbers among a step's metrics."""


@dataclass(frozen=True)
class Judged:
    """Which judge the report is about, and how much better it is than what needs no training.

    Attributes:
        step: Its step; None while none was validated.
        is_checkpoint: Whether it is the best whole checkpoint; else the newest validation.
        lift: In reward, over the best of base and floors; None if a side is missing or on other rows.
        ranking: The same in what no prior can earn: rank correlation, kappa, untied accuracy.
        floors: Metrics of each floor on the rows of that step.
        whole: Steps of all whole checkpoints.
    """

    step: int | None
    is_checkpoint: bool
    lift: Lift | None
    ranking: tuple[Lift, ...]
    floors: Mapping[str, Mapping[str, float]]
    whole: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """Everything a report says.

    Attributes:
        root: Folder of the training.
        run: What the newest attempt read.
        written: When the report was written, RFC 3339.
        attempts: Oldest first.
        steps: Metrics of each step that counts, across attempts.
        validations: Validation metrics by step; 0 is the untrained model.
        floors: Reward of answers that need no model, on the validation rows.
        judged: Which step the report is about.
        scale: Range of labels and scores.
        sheet: Answers of that step; None if there are none.
        base_sheet: Those of the untrained model.
        data: What preparing reported.
        setup: Effective configuration and versions.
        cost: What it took.
        findings: What was found unhealthy.
        gaps: What is missing, in sentences.
    """

    root: Path
    run: RunFile
    written: str
    attempts: tuple[AttemptSeen, ...]
    steps: Mapping[int, Mapping[str, float]]
    validations: Mapping[int, Mapping[str, float]]
    floors: Mapping[str, float]
    judged: Judged
    scale: Scale | None
    sheet: Sheet | None
    base_sheet: Sheet | None
    data: Mapping[str, Any]
    setup: Setup
    cost: Cost
    findings: tuple[Finding, ...]
    gaps: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the training."""
        return self.run.intent.name

    @property
    def newest(self) -> AttemptSeen:
        """The attempt of now."""
        return self.attempts[-1]

    @property
    def step(self) -> int:
        """Last step that was reported."""
        return self.newest.last_step or self.newest.from_step or 0


def gather(root: Path, *, now: str) -> Report:
    """Return everything that a training's folder says; what is missing is said in `gaps`.

    Args:
        root: Folder of the training.
        now: Time of writing, RFC 3339.

    Raises:
        VolumeUnavailable: no attempt was ever made there, or none of their run files can be read.
    """
    gaps, layout = Gaps(root), Layout(root.parent, root.name)
    attempts = read_attempts(root, gaps)
    run = _run_of(root, attempts, gaps)
    steps = stitch(attempts, gaps)
    scale = read_scale(layout.data / "validation.parquet", gaps)
    data = read_json(layout.data / "data.json", gaps, lost="the data report and the floors' lift")
    validations = _validations(layout, attempts, steps, gaps)
    judged = _judged(run, layout, validations, scale=scale, gaps=gaps)
    sheet, base_sheet = _sheets(run, layout, judged.step, scale=scale, gaps=gaps)
    return Report(
        root=root,
        run=run,
        written=now,
        attempts=attempts,
        steps=steps,
        validations=validations,
        floors={floor.name: float(floor.value) for floor in run.prepared.floors},
        judged=judged,
        scale=scale,
        sheet=sheet,
        base_sheet=base_sheet,
        data=data,
        setup=read_setup(run, attempts, gaps),
        cost=cost_of(run, attempts, steps),
        findings=_findings(attempts),
        gaps=tuple(gaps.found),
    )


def _run_of(root: Path, attempts: Sequence[AttemptSeen], gaps: Gaps) -> RunFile:
    for attempt in reversed(attempts):
        path = attempt.folder / "run.json"
        try:
            return RunFile.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            gaps.note(path, f"no readable run file ({str(error).splitlines()[0]})", "its settings")
    found = f"{len(attempts)} without a readable run.json" if attempts else "none"
    raise VolumeUnavailable(
        f"{root}: expected the folder of a training with attempts, found {found}; "
        "give the name of a training, or its folder, that was trained at least once"
    )


def _validations(layout: Layout, attempts: Sequence[AttemptSeen], steps: Steps, gaps: Gaps) -> Steps:
    """Return what was measured of the weights of now; of steps that were done again, the newer word."""
    lost = "what validations.json alone says; the numbers are those in metrics.jsonl"
    kept = read_json(layout.root / "validations.json", gaps, lost=lost)
    found = {
        step: dict(numbers_in(metrics))
        for text, metrics in kept.items()
        if (step := whole_number(text)) is not None and isinstance(metrics, dict)
    }
    if not found:
        logged = {
            step: {n.removeprefix(LOGGED): value for n, value in metrics.items() if n.startswith(LOGGED)}
            for step, metrics in steps.items()
        }
        found = {step: metrics for step, metrics in logged.items() if metrics}
    reached = [attempt.last_step for attempt in attempts if attempt.last_step is not None]
    found = {step: found[step] for step in sorted(found) if not reached or step <= reached[-1]}
    for step, metrics in found.items():
        path = newest_answers(layout, step)
        cut = None if path is None else truncated_share(path, gaps)
        if cut is not None:
            metrics.setdefault("truncated", cut)
    return found


def _judged(run: RunFile, layout: Layout, validations: Steps, *, scale: Scale | None, gaps: Gaps) -> Judged:
    whole = whole_steps(layout.checkpoints, gaps)
    rewarded = {step: metrics for step, metrics in validations.items() if "reward" in metrics}
    best = best_step(whole, rewards_of(rewarded))
    step = best if best is not None else max(rewarded, default=None)
    if best is None and step:
        gaps.say(f"no whole checkpoint was validated: the answers and the lift are those of step {step}")
    found = _measured(run, layout, step, scale=scale, gaps=gaps) if step and scale is not None else None
    return Judged(
        step=step,
        is_checkpoint=best is not None,
        lift=found.reward if found else None,
        ranking=found.ranking if found else (),
        floors=found.floors if found else {},
        whole=whole,
    )


def _measured(run: RunFile, layout: Layout, step: int, *, scale: Scale, gaps: Gaps) -> Measured | None:
    try:
        found = measure(run, layout, step, scale)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0] if str(error) else "no message"
        gaps.say(f"the lift of step {step} cannot be measured: {type(error).__name__}: {first}")
        return None
    if found is None:
        gaps.say(
            f"the lift of step {step} is not measured: it is paired, and there are no answers of both the "
            "untrained model and that step to the same rows"
        )
    return found


def _sheets(
    run: RunFile, layout: Layout, step: int | None, *, scale: Scale | None, gaps: Gaps
) -> tuple[Sheet | None, Sheet | None]:
    """Return the answers of the judged step and of the untrained model."""
    if step is None or scale is None:
        gaps.say("no validation with readable rows yet: no confusion matrix, no histograms, no examples")
        return None, None
    found = {at: newest_answers(layout, at) for at in (0, step)}
    rows = {at: [] if path is None else read_answers(path, gaps) for at, path in found.items()}
    if not rows[step]:
        gaps.say(f"no answers of step {step} are at hand: no confusion matrix, no histograms, no examples")
    texts = Texts(layout.data / "validation.parquet", rows[0], reader_of(run, scale))
    sheets = [sheet_of(at, rows[at], texts, scale=scale, gaps=gaps) if rows[at] else None for at in (step, 0)]
    return sheets[0], sheets[1]


def _findings(attempts: Sequence[AttemptSeen]) -> tuple[Finding, ...]:
    """Return the findings of the newest attempt, then those of earlier ones; none of these is of now."""
    found = {(finding.reason, finding.step): finding for finding in attempts[-1].findings}
    for attempt in reversed(attempts[:-1]):
        for finding in attempt.findings:
            found.setdefault((finding.reason, finding.step), replace(finding, is_current=False))
    return tuple(found.values())
