"""Says what the trainer would say, for pods that run nothing: records in the progress ConfigMap."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rrm_api.run import digest_of
from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.errors import CommandFailed

Manifest = dict[str, Any]
TRAIN_ROWS: Final = 254
TOTAL_STEPS: Final = 24
_METRIC: Final = {"name": "reward", "value": "0.5"}

PREPARED: Final[Manifest] = {
    "data": {"train": TRAIN_ROWS, "validation": 64, "dropped": [], "digest": "sha256:rows"},
    "readRows": 503,
    "totalSteps": TOTAL_STEPS,
    "evaluateEverySteps": 6,
    "saveEverySteps": 12,
    "preset": "pointwise-1",
    "floors": [_METRIC],
}
TRAINED: Final[Manifest] = {
    "step": TOTAL_STEPS,
    "totalSteps": TOTAL_STEPS,
    "checkpoints": {"latestStep": TOTAL_STEPS, "bestStep": 12, "bytes": 1000},
    "base": [_METRIC],
    "best": [_METRIC],
}


def moment() -> str:
    """Return now as the trainer writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class TrainerStandIn:
    """The trainer of one training."""

    cluster: Cluster
    namespace: str
    training: str

    def prepared(self, **changes: Any) -> None:
        """Answer that the data is prepared."""
        self.record("prepare", self._digest("intent.json"), **{"prepared": PREPARED, **changes})

    def trained(self, attempt: int = 1, **changes: Any) -> None:
        """Answer that an attempt reached its last step."""
        self.record("train", self._digest("run.json"), attempt=attempt, trained=TRAINED, **changes)

    def failed(self, attempt: int = 1, *, exit_code: int, log_tail: str) -> None:
        """Answer that an attempt failed."""
        changes = {
            "result": "Failed",
            "reason": "TrainingFailed",
            "message": f"the trainer ended with exit code {exit_code}",
            "exitCode": exit_code,
            "logTail": log_tail,
        }
        self.record("train", self._digest("run.json"), attempt=attempt, **changes)

    def exported(self, **changes: Any) -> None:
        """Answer that the model is exported."""
        exported = {"path": f"{self.training}/export", "step": 12}
        self.record("export", self._digest("run.json"), exported=exported, **changes)

    def progress(self, attempt: int, step: int) -> None:
        """Report a step."""
        progress = {
            "attempt": attempt,
            "phase": "Rollout",
            "step": step,
            "totalSteps": TOTAL_STEPS,
            "time": moment(),
        }
        self._write("progress", progress)

    def record(self, role: str, digest: str, **changes: Any) -> None:
        """Write the record of a role."""
        record = {
            "role": role,
            "inputDigest": digest,
            "result": "Done",
            "reason": {"prepare": "DataPrepared", "train": "Succeeded", "export": "Exported"}[role],
            "message": "done",
            "exitCode": 0,
            "finishedTime": moment(),
        }
        self._write(role, {**record, **changes})

    def _write(self, key: str, value: Manifest) -> None:
        patch = json.dumps({"data": {key: json.dumps(value)}})
        name = f"{self.training}-progress"
        where = ("--namespace", self.namespace, "--type=merge", "--patch", patch)
        self.cluster.kubectl("patch", "configmap", name, *where)

    def _digest(self, file: str) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                run = self.cluster.client.get("configmap", f"{self.training}-run", namespace=self.namespace)
            except CommandFailed:
                run = {}
            if file in run.get("data", {}):
                return digest_of(json.loads(run["data"][file]))
            time.sleep(0.1)
        raise TimeoutError(f"ConfigMap {self.training}-run has no {file} after 60 s")
