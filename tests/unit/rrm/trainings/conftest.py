"""Trainings as an API server has them, each test saying only what matters to it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

Manifest = dict[str, Any]
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONDITIONS = {
    "Ready": ("True", "Training", "attempt 2 is training"),
    "Reconciling": ("False", "Training", "attempt 2 is training"),
    "Stalled": ("False", "Training", "attempt 2 is training"),
    "Succeeded": ("Unknown", "Training", "attempt 2 is training"),
    "Suspended": ("False", "NotSuspended", ""),
    "DataPrepared": ("True", "DataPrepared", "20324 rows to train on, 1038 to validate on, 0 dropped"),
    "ClusterReady": ("True", "ClusterReady", "head and 2 of 2 workers ready"),
    "CheckpointSaved": ("True", "CheckpointSaved", "step 120 is saved, best is step 80"),
    "Exported": ("Unknown", "Waiting", ""),
    "Healthy": ("True", "Healthy", ""),
}


def conditions(**changed: tuple[str, str, str]) -> list[Manifest]:
    """Return all conditions in the operator's order; those of a training that trains unless changed."""
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": 1,
            "lastTransitionTime": "2026-03-01T06:00:00Z",
        }
        for kind, (status, reason, message) in {**CONDITIONS, **changed}.items()
    ]


def stalled(reason: str, message: str, *, is_final: bool = False, **changed: tuple[str, str, str]) -> Any:
    """Return the conditions of a training that a person must act on."""
    why = (reason, message)
    ends = {"Ready": ("False", *why), "Reconciling": ("False", *why), "Stalled": ("True", *why)}
    return conditions(**ends, Succeeded=("False" if is_final else "Unknown", *why), **changed)


def training(name: str = "helpful-judge", *, metadata: Manifest | None = None, **status: Any) -> Manifest:
    """Return a training of 2 nodes that is in its second attempt; None takes a field of the status away."""
    told = {
        "observedGeneration": 1,
        "stage": "Training",
        "attempt": 2,
        "conditions": conditions(),
        "progress": {
            "step": 120,
            "totalSteps": 480,
            "percent": 25,
            "etaSeconds": 10_980,
            "reward": "0.6289",
            "lift": "0.12",
            "parseRate": "0.9844",
            "lastProgressTime": "2026-03-01T11:59:20Z",
        },
        "attempts": [
            {
                "number": 1,
                "cluster": f"{name}-c1",
                "startTime": "2026-03-01T06:05:00Z",
                "endTime": "2026-03-01T08:30:00Z",
                "fromStep": 0,
                "toStep": 56,
                "reason": "ClusterLost",
                "message": "the head pod is gone",
                "savedStep": 40,
            },
            {
                "number": 2,
                "cluster": f"{name}-c2",
                "startTime": "2026-03-01T08:40:00Z",
                "fromStep": 40,
                "restarts": 0,
            },
        ],
        "checkpoints": {
            "latestStep": 120,
            "latestPath": f"{name}/checkpoints/global_step_120",
            "bestStep": 80,
            "bestPath": f"{name}/checkpoints/global_step_80",
        },
        # 16 GPUs train since 11:00: 16 GPU-hours more by 12:00.
        "gpuSeconds": {
            "held": 72 * 3600,
            "training": 60 * 3600,
            "holding": 16,
            "busy": 16,
            "time": "2026-03-01T11:00:00Z",
        },
        **status,
    }
    return {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": {"name": name, "namespace": "team-a", "generation": 1, **(metadata or {})},
        "spec": {"workers": {"nodes": 2}},
        "status": {key: value for key, value in told.items() if value is not None},
    }


@pytest.fixture(name="training")
def training_fixture() -> Callable[..., Manifest]:
    return training


@pytest.fixture(name="conditions")
def conditions_fixture() -> Callable[..., list[Manifest]]:
    return conditions


@pytest.fixture(name="stalled")
def stalled_fixture() -> Callable[..., list[Manifest]]:
    return stalled


@pytest.fixture
def now() -> datetime:
    return NOW
