"""What a training cost in GPU time up to now, and when it will end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rrm_api.conditions import Stage
from rrm_api.status import TrainingStatus


@dataclass(frozen=True)
class GPUTime:
    """GPU time in seconds.

    Attributes:
        held: From the placing of worker pods to their end.
        training: Of it, between first and last step of attempts.
        holding: GPUs that are held now.
        busy: GPUs that train now.
    """

    held: float = 0.0
    training: float = 0.0
    holding: int = 0
    busy: int = 0

    @property
    def wasted(self) -> float:
        """Seconds that were held and did not train.

        >>> GPUTime(held=7200, training=5400).wasted
        1800
        """
        return max(0, self.held - self.training)

    @property
    def wasted_percent(self) -> int | None:
        """Share of what was held, in whole percent from 0 to 100; None if nothing was.

        >>> GPUTime(held=7200, training=5400).wasted_percent, GPUTime().wasted_percent
        (25, None)
        """
        return round(100 * self.wasted / self.held) if self.held > 0 else None


def gpu_time(status: TrainingStatus, now: datetime) -> GPUTime | None:
    """Return what was held up to now, reading the meters on; None if no GPU ever was."""
    meter = status.gpu_seconds
    if meter is None:
        return None
    since = moment(meter.time)
    passed = max(0.0, (now - since).total_seconds()) if since is not None else 0.0
    return GPUTime(
        held=meter.held + passed * meter.holding,
        training=meter.training + passed * meter.busy,
        holding=meter.holding,
        busy=meter.busy,
    )


def total(times: Iterable[GPUTime | None]) -> GPUTime:
    """Return the sum; what is too much training in one training makes up for no waste of another.

    >>> total([GPUTime(held=10, training=12), None, GPUTime(held=10, training=5)]).wasted
    5
    """
    known = [it for it in times if it is not None]
    held = sum(it.held for it in known)
    return GPUTime(
        held=held,
        training=held - sum(it.wasted for it in known),
        holding=sum(it.holding for it in known),
        busy=sum(it.busy for it in known),
    )


def end_of(status: TrainingStatus, now: datetime) -> datetime | None:
    """Return when the last step is expected, not before now; None while nothing trains."""
    progress = status.progress
    if status.stage is not Stage.TRAINING or progress is None or progress.eta_seconds is None:
        return None
    reported = moment(progress.last_seen_time or progress.last_progress_time)
    return max(now, reported + timedelta(seconds=progress.eta_seconds)) if reported is not None else None


def moment(text: str | None) -> datetime | None:
    """Return a written moment; None if it is absent or none.

    >>> moment("2026-03-01T09:05:00Z").isoformat(), moment("soon"), moment(None)
    ('2026-03-01T09:05:00+00:00', None, None)
    """
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found
