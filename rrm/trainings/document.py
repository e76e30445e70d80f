"""What `rrm status --output json` prints: plain numbers in the API's words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rrm.trainings.account import GPUTime, end_of, gpu_time, total
from rrm.trainings.reading import TrainingSeen, problems

Document = dict[str, Any]


def document_of(training: TrainingSeen, now: datetime) -> Document:
    """Return all that is told about a training."""
    status = training.status
    told = status.manifest()
    end = end_of(status, now)
    return {
        "name": training.metadata.name,
        "namespace": training.metadata.namespace,
        "stage": status.stage,
        "attempt": status.attempt,
        "progress": told.get("progress"),
        "secondsToEnd": round((end - now).total_seconds()) if end is not None else None,
        "attempts": told["attempts"],
        "conditions": told["conditions"],
        "problems": [it.manifest() for it in problems(status)],
        "gpuHours": gpu_hours(gpu_time(status, now)),
        "checkpoints": told.get("checkpoints"),
        "export": told.get("export"),
        "retryWaits": training.retry_waits,
        "unread": list(training.unread),
    }


def list_document(trainings: Sequence[TrainingSeen], now: datetime) -> Document:
    """Return all trainings, and what they cost together."""
    return {
        "trainings": [document_of(it, now) for it in trainings],
        "gpuHours": gpu_hours(total(gpu_time(it.status, now) for it in trainings)),
    }


def gpu_hours(time: GPUTime | None) -> Document | None:
    """Return GPU time in hours, to a hundred-thousandth: less than a GPU second is lost."""
    if time is None:
        return None
    return {
        "held": round(time.held / 3600, 5),
        "training": round(time.training / 3600, 5),
        "wasted": round(time.wasted / 3600, 5),
        "wastedPercent": time.wasted_percent,
        "holding": time.holding,
        "busy": time.busy,
    }
