"""A world without a cluster: what people, Kubernetes, KubeRay and the trainer do to a training.

The store and its facts are the real ones, so a test sees what the operator sees.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Phase, Prepared, Progress, Record, Result, Role, Trained
from rrm_api.status import CheckpointsStatus, DataStatus, DroppedRows, ExportStatus, Metric
from rrm_operator.assess.moments import written
from rrm_operator.facts import Key, Kind, Manifest
from tests.unit.rrm_operator.cluster_that_remembers import NAMESPACE, ClusterThatRemembers, merged


@dataclass
class World(ClusterThatRemembers):
    """Everything outside the operator."""

    def apply_training(self, manifest: Manifest) -> Key:
        self._put(manifest)
        return Key(NAMESPACE, manifest["metadata"]["name"])

    def edit(self, change: Callable[[Manifest], object]) -> None:
        """Change the spec as a person does: the generation counts."""
        manifest = copy.deepcopy(self.training)
        change(manifest["spec"])
        manifest["metadata"]["generation"] += 1
        self._put(manifest)

    def edit_child(self, kind: Kind, change: Callable[[Manifest], object]) -> str:
        """Change the only child of a kind as `kubectl edit` does: our annotations stay. Return its name."""
        (name,) = self.named(kind)
        self._change(kind, name, change)
        return name

    def annotate(self, **annotations: str) -> None:
        """Annotate the training: its generation does not count that."""
        manifest = copy.deepcopy(self.training)
        manifest["metadata"].setdefault("annotations", {}).update(annotations)
        self._put(manifest)

    @property
    def training(self) -> Manifest:
        return next(it for (kind, _), it in self.objects.items() if kind == group.KIND)

    @property
    def status(self) -> Manifest:
        status: Manifest = self.training.get("status", {})
        return status

    def condition(self, kind: str) -> Manifest:
        return next(it for it in self.status["conditions"] if it["type"] == kind)

    def add_pod(self, owner: str, role: str, **status: Any) -> None:
        labels = {group.LABEL_TRAINING: self.training["metadata"]["name"], group.LABEL_ROLE: role}
        if role in ("head", "worker"):
            labels["ray.io/node-type"] = role
        self._put(
            {
                "kind": Kind.POD,
                "metadata": {
                    "name": f"{owner}-{role}",
                    "namespace": NAMESPACE,
                    "labels": labels,
                    "ownerReferences": [{"name": owner, "controller": True}],
                },
                "spec": {"containers": [{"name": "main"}]},
                "status": {"phase": "Running", **status},
            }
        )

    def change_pod(self, name: str, **status: Any) -> None:
        self._change(Kind.POD, name, lambda pod: pod["status"].update(status))

    def limit_memory(self, pod: str, limit: str) -> None:
        resources = {"limits": {"memory": limit}}
        self._change(Kind.POD, pod, lambda it: it["spec"]["containers"][0].update(resources=resources))

    def job_is_overdue(self, name: str) -> None:
        """Let the Job controller end a Job by its deadline: its pods are deleted, and nothing is answered."""
        ended = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
        ended |= {"message": "Job was active longer than specified deadline"}
        ended |= {"lastTransitionTime": written(self.seconds)}
        self._change(Kind.JOB, name, lambda it: it.update(status={"conditions": [ended]}))

    def delete_pod(self, name: str) -> None:
        self._change(Kind.POD, name, self._deleting)

    def bind_claim(self, name: str) -> None:
        self._change(Kind.PERSISTENT_VOLUME_CLAIM, name, lambda it: it.update(status={"phase": "Bound"}))

    def delete_claim(self, name: str) -> None:
        """Let somebody delete a claim that pods still hold."""
        self._change(Kind.PERSISTENT_VOLUME_CLAIM, name, self._deleting)

    def pods_leave(self) -> None:
        """Let everything that is being deleted be gone."""
        for kind, name in list(self.objects):
            if "deletionTimestamp" in self.objects[kind, name]["metadata"]:
                self.remove(kind, name)

    def cluster_becomes_ready(self) -> None:
        name = self.newest_cluster
        self.add_pod(name, "head")
        self.add_pod(name, "worker")
        self.set_cluster(head=True, workers=self.training["spec"]["workers"]["nodes"])

    def set_cluster(self, *, head: bool, workers: int, reason: str = "HeadPodNotFound") -> None:
        ready = {"type": "HeadPodReady", "status": str(head), "reason": "Running" if head else reason}
        before = self.objects[Kind.RAY_CLUSTER, self.newest_cluster].get("status", {}).get("conditions", [])
        once = any(it["type"] == "RayClusterProvisioned" for it in before)
        suspended = [it for it in before if it["type"] == "RayClusterSuspended"]
        whole = head and workers == self.training["spec"]["workers"]["nodes"]
        provisioned = {"type": "RayClusterProvisioned", "status": "True"}
        status = {
            "conditions": [ready, *([provisioned] if once or whole else []), *suspended],
            "readyWorkerReplicas": workers,
            "head": {"serviceName": f"{self.newest_cluster}-head-svc", "podIP": "10.0.0.7"},
        }
        self._change(Kind.RAY_CLUSTER, self.newest_cluster, lambda it: it.update(status=status))

    @property
    def newest_cluster(self) -> str:
        return self.named(Kind.RAY_CLUSTER)[-1]

    def job_ends(
        self, role: Role, record: Record | None, *, exit_code: int = 0, last_words: str = ""
    ) -> None:
        """Let the newest Job of a role end, with or without a record."""
        name = next(it for it in reversed(self.named(Kind.JOB)) if f"-{role}-" in it)
        if record is not None:
            self.write_record(record)
        state = {
            "exitCode": exit_code,
            "reason": "Error" if exit_code else "Completed",
            "message": last_words,
        }
        self.add_pod(
            name,
            role,
            phase="Failed" if exit_code else "Succeeded",
            containerStatuses=[{"name": "main", "state": {"terminated": state}}],
        )
        kind = "Failed" if exit_code else "Complete"
        ended = {
            "type": kind,
            "status": "True",
            "lastTransitionTime": written(self.seconds),
            "message": "it failed",
        }
        self._change(Kind.JOB, name, lambda it: it.update(status={"conditions": [ended]}))

    def prepare_succeeds(self) -> None:
        preset = f"{self.training['spec']['method'].lower()}-v1"
        self.job_ends(Role.PREPARE, self.record(Role.PREPARE, prepared=prepared(preset)))

    def train_reports(
        self, step: int, *, attempt: int = 1, saved: int | None = None, clock_error: float = 0.0
    ) -> None:
        """Let the trainer report; its clock may be ahead of the operator's by some seconds, or behind."""
        progress = Progress(
            attempt=attempt,
            phase=Phase.ROLLOUT,
            step=step,
            total_steps=24,
            reward=0.5,
            checkpoints=CheckpointsStatus(latest_step=saved),
            time=written(self.seconds + clock_error),
        )
        self.write_progress("progress", progress.model_dump_json(by_alias=True, exclude_none=True))

    def train_ends(self, *, saved: int = 24, attempt: int = 1) -> None:
        trained = Trained(
            step=saved,
            total_steps=24,
            checkpoints=CheckpointsStatus(latest_step=saved, best_step=saved),
            base=[Metric(name="reward", value="0.5")],
            best=[Metric(name="reward", value="0.65")],
        )
        self.write_record(self.record(Role.TRAIN, attempt=attempt, trained=trained))

    def train_fails(self, *, exit_code: int = 1, attempt: int = 1) -> None:
        failed = {
            "result": Result.FAILED,
            "reason": Reason.TRAINING_FAILED,
            "message": "verl died of signal 9",
        }
        record = self.record(Role.TRAIN, attempt=attempt, exit_code=exit_code, log_tail="last line", **failed)
        self.write_record(record)

    def export_succeeds(self) -> None:
        exported = ExportStatus(path="judge/export", step=24)
        self.job_ends(Role.EXPORT, self.record(Role.EXPORT, exported=exported))

    def record(self, role: Role, **facts: Any) -> Record:
        """Return the record a process would write that read the run ConfigMap as it stands."""
        done = {"result": Result.DONE, "reason": Reason.SUCCEEDED, "message": "done", "exit_code": 0}
        facts = {**done, "input_digest": self.digest_read(role), **facts}
        return Record(role=role, finished_time=written(self.seconds), **facts)

    def digest_read(self, role: Role) -> str:
        from rrm_api.run import Intent, RunFile

        data = next(it["data"] for (kind, name), it in self.objects.items() if name.endswith("-run"))
        if role is Role.PREPARE:
            return Intent.model_validate_json(data["intent.json"]).digest()
        return RunFile.model_validate_json(data["run.json"]).digest()

    def write_record(self, record: Record) -> None:
        self.write_progress(record.role, record.model_dump_json(by_alias=True, exclude_none=True))

    def catch_up(self) -> None:
        """Deliver the watch events that were held back."""
        late, self._late, self.lags = self._late, [], False
        for kind, manifest, deleted in late:
            self.store.feed(kind, manifest, deleted=deleted)

    def write_progress(self, key: str, text: str) -> None:
        name = next(it for it in self.named(Kind.CONFIG_MAP) if it.endswith("-progress"))
        json.loads(text)
        self._put(merged(self.objects[Kind.CONFIG_MAP, name], {"data": {key: text}}))


def prepared(preset: str) -> Prepared:
    """Return what preparing the demo's rows finds."""
    data = DataStatus(train=254, validation=64, dropped=[DroppedRows(reason="too_long", rows=6)], digest="d")
    return Prepared(
        data=data,
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset=preset,
        floors=[Metric(name="constant", value="0.768")],
    )
