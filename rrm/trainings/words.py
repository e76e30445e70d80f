"""What `rrm status` tells people: sections of short rows, which a terminal and a log print their own way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rrm.report.words import clock, duration
from rrm.trainings.account import GPUTime, end_of, gpu_time, moment, total
from rrm.trainings.reading import TrainingSeen, problems
from rrm_api.conditions import ConditionType
from rrm_api.status import AttemptStatus, CheckpointsStatus, TrainingStatus

NOTHING = "-"
Row = tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Rows that belong together.

    Attributes:
        title: What they are about.
        rows: Their cells.
        heading: Names of the columns; empty where the first cell says what the second is.
        is_warning: Whether a person should look at it.
    """

    title: str
    rows: tuple[Row, ...]
    heading: Row = ()
    is_warning: bool = False


def sections_of(training: TrainingSeen, now: datetime) -> list[Section]:
    """Return what a person wants to know of a training; what there is nothing of is left out."""
    status, metadata = training.status, training.metadata
    bad = tuple(
        (f"{it.type} is {it.status}", it.reason, one_line(it.message) or NOTHING) for it in problems(status)
    )
    told = [
        Section(f"{metadata.name} in namespace {metadata.namespace}", tuple(_state(status, now))),
        Section("To look at", bad, is_warning=True),
        Section("Attempts", tuple(_attempt(it) for it in status.attempts), ATTEMPTS),
        Section("GPU time, in GPU-hours", tuple(_gpu_rows(gpu_time(status, now)))),
        Section("Kept on the volume", tuple(_kept(status))),
        Section("Notes", tuple((it,) for it in notes_of(training)), is_warning=True),
    ]
    return [it for it in told if it.rows]


def table_of(trainings: Sequence[TrainingSeen], now: datetime, *, names_namespace: bool) -> Section:
    """Return all trainings in a table whose last row is the sum."""
    rows = [_list_row(it, now) for it in trainings]
    sum_row = (f"sum of {len(rows)}", *[""] * 6, *_cost(total(gpu_time(it.status, now) for it in trainings)))
    if not names_namespace:
        return Section("", (*(row[1:] for row in rows), (sum_row[0], *sum_row[2:])), LIST[1:])
    return Section("", (*rows, sum_row), LIST)


ATTEMPTS: Row = ("attempt", "began", "ended", "reason", "steps", "saved step", "restarts")
LIST: Row = (
    "namespace",
    "name",
    "stage",
    "step",
    "of",
    "reward",
    "lift",
    "GPU-h held",
    "training",
    "wasted",
    "share",
)


def notes_of(training: TrainingSeen) -> Iterator[str]:
    """Yield what stands between what is asked for and what is told."""
    metadata, status = training.metadata, training.status
    if metadata.deletion_timestamp:
        yield "it is being deleted"
    if status.stage is None and "status.stage" not in training.unread:
        yield "no operator has looked at it yet; is one running that serves this namespace?"
    elif status.observed_generation < metadata.generation:
        yield "the operator has not looked at its last edit yet"
    if training.retry_waits:
        yield "it was asked to try again, and the operator has not answered yet"
    if training.unread:
        yield f"this version of rrm cannot read {', '.join(training.unread)}; a newer one may"


def one_line(text: str) -> str:
    r"""Return a message as one line that moves no cursor.

    >>> one_line("out of\nmemory \x1b[31mnow")
    'out of memory [31mnow'
    """
    return " ".join("".join(it if it.isprintable() else " " for it in text).split())


def _state(status: TrainingStatus, now: datetime) -> Iterator[Row]:
    yield "stage", status.stage or NOTHING
    ready = status.condition(ConditionType.READY)
    if ready is not None and ready.message not in {"", *(it.message for it in problems(status))}:
        yield "", one_line(ready.message)
    progress = status.progress
    if progress is None:
        return
    yield "step", f"{progress.step} of {progress.total_steps}, {progress.percent} %"
    if progress.reward is not None:
        yield "reward", progress.reward
    if progress.lift is not None:
        yield "lift", f"{progress.lift} over the better of base and best floor, on validation"
    if progress.parse_rate is not None:
        yield "readable", f"{progress.parse_rate} of the answers"
    seen = progress.last_seen_time or progress.last_progress_time
    end, reported = end_of(status, now), moment(seen)
    if end is not None:
        yield "ends", f"in {duration((end - now).total_seconds())}, {clock(end.isoformat())}"
    if reported is not None:
        ago = duration(max(0.0, (now - reported).total_seconds()))
        yield "reported", f"{ago} ago, {clock(seen)}"


def _attempt(attempt: AttemptStatus) -> Row:
    return (
        str(attempt.number),
        clock(attempt.start_time),
        clock(attempt.end_time) if attempt.end_time else NOTHING,
        one_line(attempt.reason or "") or NOTHING,
        _steps(attempt),
        _or_nothing(attempt.saved_step),
        str(attempt.restarts),
    )


def _steps(attempt: AttemptStatus) -> str:
    begin = f"from {attempt.from_step}" if attempt.from_step is not None else ""
    end = f"to {attempt.to_step}" if attempt.to_step is not None else ""
    return f"{begin} {end}".strip() or NOTHING


def _gpu_rows(time: GPUTime | None) -> Iterator[Row]:
    if time is None:
        return
    yield "held", hours(time.held)
    yield "training", hours(time.training)
    share = f", {time.wasted_percent} % of what was held" if time.wasted_percent is not None else ""
    yield "wasted", hours(time.wasted) + share
    if time.holding:
        yield "now", f"holds {time.holding} GPUs, of which {time.busy} train"


def _kept(status: TrainingStatus) -> Iterator[Row]:
    saved = status.checkpoints
    if saved is not None and saved.latest_step is not None:
        yield "checkpoint", f"step {saved.latest_step}{_at(saved.latest_path)}{_best(saved)}"
    if status.export is not None:
        yield "export", f"{one_line(status.export.path)}, made of step {status.export.step}"


def _best(saved: CheckpointsStatus) -> str:
    if saved.best_step is None or saved.best_step == saved.latest_step:
        return "; it is the best" if saved.best_step is not None else ""
    return f"; best is step {saved.best_step}{_at(saved.best_path)}"


def _at(path: str | None) -> str:
    return f" at {one_line(path)}" if path else ""


def _list_row(training: TrainingSeen, now: datetime) -> Row:
    status = training.status
    progress = status.progress
    return (
        training.metadata.namespace,
        training.metadata.name,
        status.stage or NOTHING,
        _or_nothing(progress.step if progress is not None else None),
        _or_nothing(progress.total_steps if progress is not None else None),
        (progress.reward if progress is not None else None) or NOTHING,
        (progress.lift if progress is not None else None) or NOTHING,
        *_cost(gpu_time(status, now)),
    )


def _cost(time: GPUTime | None) -> Row:
    if time is None:
        return (NOTHING,) * 4
    share = f"{time.wasted_percent} %" if time.wasted_percent is not None else NOTHING
    return hours(time.held), hours(time.training), hours(time.wasted), share


def hours(seconds: float) -> str:
    """Return GPU seconds as GPU-hours.

    >>> hours(5_400_000), hours(36)
    ('1,500.00', '0.01')
    """
    return f"{seconds / 3600:,.2f}"


def _or_nothing(number: int | None) -> str:
    return NOTHING if number is None else str(number)
