"""How a report says times, states and settings."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rrm_api.run import ExitCode, Phase

if TYPE_CHECKING:
    from rrm.report.gather import Report  # Reads parquet, which saying a time does not need.


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    >>> duration(42), duration(125), duration(7260), duration(200_000)
    ('42 s', '2 min 5 s', '2 h 1 min', '2 d 7 h')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def clock(time: str | None) -> str:
    """Return an RFC 3339 time as people write it; anything else as it is.

    >>> clock("2026-03-01T09:05:00Z"), clock(None)
    ('2026-03-01 09:05 UTC', 'never')
    """
    if time is None:
        return "never"
    try:
        return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return time


def plain(value: Any) -> str:
    """Return a setting as text: numbers short, nothing as a dash, yes and no in words.

    >>> [plain(v) for v in (1e-6, True, None, [], "x", 0.001, 96)]
    ['1e-06', 'yes', '-', 'none', 'x', '0.001', '96']
    """
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case [] | {}:
            return "none"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def meaning(verdict: str) -> str:
    """Return what a verdict says beyond its first words.

    >>> meaning("NOT LEARNING (below the best constant)"), meaning("LEARNING")
    ('Below the best constant', 'LEARNING')
    """
    inside = verdict.partition("(")[2].rpartition(")")[0]
    return inside[:1].upper() + inside[1:] if inside else verdict


def state_of(report: "Report") -> str:
    """Return in a sentence where the training is."""
    newest, total = report.newest, report.run.prepared.total_steps
    ending = newest.ending
    if ending is not None and ending.exit_code != ExitCode.DONE:
        return f"Attempt {newest.number} ended at step {report.step} of {total}: {ending.reason}"
    if newest.is_over:
        return f"Finished at step {report.step} of {total}"
    if newest.last_sign is None:
        return f"Attempt {newest.number} has given no sign of life yet"
    phase = newest.phase or Phase.STARTING.value
    rest = f", about {duration(newest.eta_seconds)} to go" if newest.eta_seconds else ""
    return f"{phase}: step {report.step} of {total}{rest}; last sign {clock(newest.last_sign)}"
