"""Says what the trainer would say, for pods that run nothing: records in the progress ConfigMap."""

import contextlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rrm_api import group
from rrm_api.run import digest_of, intent_of
from rrm_api.v1alpha1 import parse_training
from rrm_operator.assess.inputs import prepare_input_of
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
        """Answer that the data is prepared, once there is a Job for the spec of now: nobody else could."""
        found = self.cluster.client.get("rmt", self.training, namespace=self.namespace)
        training = parse_training(found)
        self._await_job("prepare", prepare_input_of(training))
        self.record("prepare", intent_of(training).digest(), **{"prepared": PREPARED, **changes})

    def trained(self, attempt: int = 1, **changes: Any) -> None:
        """Answer that an attempt reached its last step."""
        self.record("train", self._run_digest(), attempt=attempt, trained=TRAINED, **changes)

    def failed(self, attempt: int = 1, *, exit_code: int, log_tail: str) -> None:
        """Answer that an attempt failed."""
        changes = {
            "result": "Failed",
            "reason": "TrainingFailed",
            "message": f"the trainer ended with exit code {exit_code}",
            "exitCode": exit_code,
            "logTail": log_tail,
        }
        self.record("train", self._run_digest(), attempt=attempt, **changes)

    def exported(self, **changes: Any) -> None:
        """Answer that the model is exported, once there is a Job that could have done it."""
        self._await_job("export")
        exported = {"path": f"{self.training}/export", "step": 12}
        self.record("export", self._run_digest(), exported=exported, **changes)

    def end_pod(self, role: str, *, exit_code: int = 0) -> None:
        """Let the pod of a role's Job end, once there is one that runs."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pods = self.cluster.client.list("pod", namespace=self.namespace, selector=self._selector(role))
            running = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
            if running:
                name = running[0]["metadata"]["name"]
                self.cluster.finish_pod(self.namespace, name, exit_code=exit_code)
                return
            time.sleep(0.2)
        raise TimeoutError(f"no pod of role {role} of {self.training} runs after 60 s")

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
        self._config_map("progress")
        where = ("--namespace", self.namespace, "--type=merge", "--patch", patch)
        self.cluster.kubectl("patch", "configmap", f"{self.training}-progress", *where)

    def _selector(self, role: str) -> str:
        return f"{group.LABEL_TRAINING}={self.training},{group.LABEL_ROLE}={role}"

    def _await_job(self, role: str, digest: str | None = None) -> None:
        """Wait for the Job of a role, made for an input of this digest where one is given."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            jobs = self.cluster.client.list("job", namespace=self.namespace, selector=self._selector(role))
            made_for = {job["metadata"]["annotations"].get(group.ANNOTATION_DIGEST) for job in jobs}
            if digest in made_for or (made_for and digest is None):
                return
            time.sleep(0.1)
        raise TimeoutError(f"no Job of role {role} of {self.training} was made in 120 s")

    def _run_digest(self) -> str:
        return digest_of(json.loads(self._config_map("run", "run.json")["run.json"]))

    def _config_map(self, suffix: str, *keys: str) -> dict[str, str]:
        """Return the data of a ConfigMap of the operator's, once it has those keys."""
        name, deadline = f"{self.training}-{suffix}", time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(CommandFailed):
                found = self.cluster.client.get("configmap", name, namespace=self.namespace)
                data: dict[str, str] = found.get("data", {})
                if data.keys() >= set(keys):
                    return data
            time.sleep(0.1)
        raise TimeoutError(f"ConfigMap {name} does not have {keys} after 60 s")
