"""Moments as they stand in manifests (RFC 3339, UTC) and as seconds since the epoch."""

from datetime import UTC, datetime


def written(seconds: float) -> str:
    """Return a moment as Kubernetes writes it.

    >>> written(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
