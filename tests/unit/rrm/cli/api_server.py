"""An API server that speaks HTTP and remembers what it was sent, and the trainings it holds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from rrm_api.status import TrainingStatus

API = "/apis/training.rrm.dev/v1alpha1"


TOKEN = "very-secret-token"


def training(name: str, stage: str, *, namespace: str = "team-a", **status: Any) -> Any:
    meters = {"held": 7200, "training": 5400, "time": "2026-03-01T11:00:00Z"}
    told = TrainingStatus.model_validate(
        {"stage": stage, "observedGeneration": 1, "gpuSeconds": meters, **status}
    )
    metadata = {"name": name, "namespace": namespace, "generation": 1, "uid": "u", "labels": {"a": "b"}}
    return {"kind": "RewardModelTraining", "metadata": metadata, "spec": {}, "status": told.manifest()}


FAILED_ATTEMPT = {
    "number": 1,
    "cluster": "c",
    "startTime": "2026-03-01T09:00:00Z",
    "endTime": "2026-03-01T10:00:00Z",
    "reason": "TrainerCrashed",
}


@dataclass
class ApiServer:
    """What the stand-in holds, what it was asked, and what it answers if it answers otherwise."""

    trainings: list[Any] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    answers: tuple[int, str] | None = None

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        if self.answers is not None:
            return self.answers
        words = urlsplit(path).path.removeprefix(API).strip("/").split("/")
        match words:
            case ["rewardmodeltrainings"]:
                return 200, {"items": self.trainings}
            case ["namespaces", namespace, "rewardmodeltrainings"]:
                return 200, {
                    "items": [it for it in self.trainings if it["metadata"]["namespace"] == namespace]
                }
            case ["namespaces", namespace, "rewardmodeltrainings", name]:
                wanted = {"name": name, "namespace": namespace}
                found = [it for it in self.trainings if wanted.items() <= it["metadata"].items()]
                message = f'rewardmodeltrainings.training.rrm.dev "{name}" not found'
                return (200, found[0]) if found else (404, {"message": message, "details": {"name": name}})
        return 404, "404 page not found\n"


def write_kubeconfig(path: Path, server: str) -> None:
    contexts = [("lab", "team-a"), ("other", "team-b")]
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": "u", "namespace": namespace}}
            for name, namespace in contexts
        ],
        "current-context": "lab",
    }
    path.write_text(yaml.safe_dump(document))
