"""The attempts of a training, and their steps stitched into one history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rrm.report.reading import Gaps, Row, numbers_in, objects_in, read_json, read_lines, whole_number
from rrm_api.run import Phase

Steps = dict[int, dict[str, float]]
"""Step -> metric -> value."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, in its own words; 0 = done, 30 = stopped on request."""

    reason: str
    message: str
    exit_code: int


@dataclass(frozen=True)
class Finding:
    """Something unhealthy about the run's numbers.

    Attributes:
        reason: One word of the API's closed list.
        step: Step at which it was first seen.
        message: A sentence for people.
        is_current: Whether the newest word of its attempt still says so.
    """

    reason: str
    step: int
    message: str
    is_current: bool


@dataclass(frozen=True)
class AttemptSeen:
    """One attempt as its files show it.

    Attributes:
        number: Counts from 1.
        folder: Where it wrote.
        from_step: Checkpoint it resumed from; None before its first sign.
        last_step: Last step it reported; None before its first.
        first_sign: Time of its first progress document, RFC 3339.
        last_sign: Time of its last sign of life.
        phase: What it did then.
        eta_seconds: Expected time to the last step.
        ending: How it ended; None while it runs, or if it was killed.
        steps: Its own metrics.
        findings: What it found unhealthy.
    """

    number: int
    folder: Path
    from_step: int | None
    last_step: int | None
    first_sign: str | None
    last_sign: str | None
    phase: str | None
    eta_seconds: int | None
    ending: Ending | None
    steps: Mapping[int, Mapping[str, float]]
    findings: tuple[Finding, ...]

    @property
    def seconds(self) -> float:
        """Time between its first and its last sign of life."""
        first, last = _time(self.first_sign), _time(self.last_sign)
        return max(0.0, (last - first).total_seconds()) if first and last else 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.ending is not None or self.phase == Phase.FINISHED.value


def read_attempts(root: Path, gaps: Gaps) -> tuple[AttemptSeen, ...]:
    """Return the attempts of a training's folder, oldest first."""
    named = ((path.name.removeprefix("attempt-"), path) for path in root.glob("attempt-*") if path.is_dir())
    numbered = sorted((int(number), path) for number, path in named if number.isdigit())
    return tuple(_read_attempt(number, path, gaps) for number, path in numbered)


def _read_attempt(number: int, folder: Path, gaps: Gaps) -> AttemptSeen:
    progress = read_lines(folder / "progress.jsonl", gaps, lost=f"times and findings of attempt {number}")
    steps = _steps(read_lines(folder / "metrics.jsonl", gaps, lost=f"training curves of attempt {number}"))
    beat = _heartbeat(folder, gaps)
    first, last = (progress[0], progress[-1]) if progress else ({}, {})
    newest = beat if str(beat.get("time", "")) >= str(last.get("time", "")) and beat else last
    reported = [step for row in (last, beat) if (step := whole_number(row.get("step"))) is not None]
    from_step = whole_number(last.get("fromStep"))
    if from_step is None and any(step > 0 for step in steps):
        from_step = min(step for step in steps if step > 0) - 1
    return AttemptSeen(
        number=number,
        folder=folder,
        from_step=from_step,
        last_step=max([*reported, *steps], default=None),
        first_sign=_text(first.get("time")) or _text(beat.get("time")),
        last_sign=_text(newest.get("time")),
        phase=_phase(last, newest),
        eta_seconds=whole_number(last.get("etaSeconds")),
        ending=_ending(folder),
        steps=steps,
        findings=_findings(progress),
    )


def _heartbeat(folder: Path, gaps: Gaps) -> Row:
    path = folder / "heartbeat.json"
    # Absent until the trainer's first sign: nothing is lost that progress does not tell.
    return read_json(path, gaps, lost="the phase of now") if path.exists() else {}


def _phase(last: Row, newest: Row) -> str | None:
    if last.get("phase") == Phase.FINISHED.value:
        return Phase.FINISHED.value
    return _text(newest.get("phase"))


def _steps(lines: Sequence[Row]) -> Steps:
    steps: Steps = {}
    for line in lines:
        step, data = whole_number(line.get("step")), line.get("data")
        if step is not None and isinstance(data, dict):
            steps.setdefault(step, {}).update(numbers_in(data))
    return steps


def _ending(folder: Path) -> Ending | None:
    path = folder / "ending.json"
    if not path.is_file():
        return None  # It runs, or it was killed before it could say a word.
    found = read_json(path, Gaps(folder), lost="")
    code = whole_number(found.get("exit_code"))
    reason, message = str(found.get("reason", "unknown")), str(found.get("message", "it left no words"))
    return Ending(reason, message, 20 if code is None else code)


def _findings(progress: Sequence[Row]) -> tuple[Finding, ...]:
    seen: dict[str, Row] = {}
    for row in progress:
        for finding in objects_in(row.get("findings")):
            if "reason" in finding:
                seen[str(finding["reason"])] = {**finding, "step": _first_step(seen, finding)}
    now = {f.get("reason") for f in objects_in(progress[-1].get("findings"))} if progress else set()
    return tuple(
        Finding(reason, found["step"], str(found.get("message", "")), is_current=reason in now)
        for reason, found in seen.items()
    )


def _first_step(seen: Mapping[str, Row], finding: Row) -> int:
    step = whole_number(finding.get("step")) or 0
    known = seen.get(str(finding["reason"]))
    return step if known is None else min(step, known["step"])


def stitch(attempts: Sequence[AttemptSeen], gaps: Gaps) -> Steps:
    """Return the metrics of every step that the weights of now went through.

    Where an attempt resumed, what earlier ones did after that checkpoint was not kept, and is left out.
    """
    steps: Steps = {}
    for attempt in attempts:
        if attempt.from_step is None:
            continue
        repeated = sorted(step for step in steps if step > attempt.from_step)
        if repeated:
            gaps.say(
                f"attempt {attempt.number} resumed from step {attempt.from_step}: steps {repeated[0]} to "
                f"{repeated[-1]} were done again, and the curves show the later ones"
            )
        steps = {step: metrics for step, metrics in steps.items() if step <= attempt.from_step}
        for step, metrics in attempt.steps.items():
            steps[step] = {**steps.get(step, {}), **metrics}
    return {step: steps[step] for step in sorted(steps)}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    # All times here are UTC; one that does not say so must still be comparable with those that do.
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
