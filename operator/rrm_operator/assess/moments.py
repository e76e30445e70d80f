"""Moments as they stand in manifests (RFC 3339, UTC) and as seconds since the epoch."""

from datetime import UTC, datetime


def written(seconds: float) -> str:
    """Return a moment as Kubernetes writes it.

    >>> written(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_of(text: str | None) -> float | None:
    """Return a written moment in seconds since the epoch; None if it is absent or no moment.

    >>> seconds_of("1970-01-01T00:01:00Z"), seconds_of("soon"), seconds_of(None)
    (60.0, None, None)
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def rewritten(text: str | None) -> str | None:
    """Return a moment of somebody else as Kubernetes writes it; None if it is absent or no moment.

    >>> rewritten("1970-01-01T01:00:00.5+01:00"), rewritten("1970-01-01"), rewritten("soon")
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z', None)
    """
    seconds = seconds_of(text)
    try:
        return None if seconds is None else written(seconds)
    except (OverflowError, ValueError):
        return None  # In UTC it lies in a year that no calendar has.
