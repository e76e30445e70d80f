"""A world without a cluster: an API server that remembers, a Ray that runs nothing, a clock that is turned.

The store and its facts are the real ones, so a test sees what the operator sees.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import (
    Phase,
    Prepared,
    Progress,
    Record,
    Result,
    Role,
    Trained,
)
from rrm_api.status import CheckpointsStatus, DataStatus, DroppedRows, ExportStatus, Metric
from rrm_operator.assess.moments import written
from rrm_operator.errors import Conflict, RayUnavailable, Refused
from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, RayClusterFact, RayJobFact, RayJobState
from rrm_operator.facts_from import ray_cluster_fact
from rrm_operator.keys import RayKeys
from rrm_operator.ports import Event, RayEndpoint, Ref, Stop, Submission
from rrm_operator.reconcile import Reconciler
from rrm_operator.settings import Settings
from rrm_operator.store import Store

EXAMPLES = Path(__file__).parents[3] / "crds" / "examples"
NAMESPACE = "demo"
UID = "0a1b2c3d-0000-4000-8000-000000000001"
START = 1_700_000_000.0


def example(name: str) -> Manifest:
    """Return a training as the API server would hold it: an example with metadata."""
    manifest: Manifest = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    manifest["metadata"] |= {"namespace": NAMESPACE, "uid": UID, "generation": 1, "resourceVersion": "1"}
    return manifest


@dataclass
class World:
    """Everything outside the operator: `Cluster`, `RayJobs`, `Clock` and, through the store, `Facts`."""

    store: Store = field(default_factory=Store)
    objects: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    planned: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    jobs: dict[str, RayJobState] = field(default_factory=dict)
    submissions: list[Submission] = field(default_factory=list)
    looks: int = 0
    ray_answers: bool = True
    refuses: dict[str, str] = field(default_factory=dict)
    lags: bool = False
    binds: bool = True
    claims: dict[str, ClaimFact | None] = field(default_factory=dict)
    cluster_looks: int = 0
    claim_looks: int = 0
    seconds: float = START
    _versions: int = 1
    _late: list[tuple[str, Manifest, bool]] = field(default_factory=list)

    # --- Cluster -------------------------------------------------------------------------------------------
    async def create(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        self.planned[kind, name] = manifest
        if kind in self.refuses:
            raise Refused(self.refuses[kind])
        if (kind, name) in self.objects:
            return
        self.log.append(f"create {kind} {name}")
        bound = {"status": {"phase": "Bound"}} if kind == Kind.PERSISTENT_VOLUME_CLAIM and self.binds else {}
        self._put(manifest | bound)

    async def apply(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        self.log.append(f"apply {kind} {name}")
        self.planned[kind, name] = manifest
        live = self.objects.get((kind, name), {})
        data = {"data": live["data"]} if "data" in live and "data" not in manifest else {}
        self._put({**manifest, **data})

    async def patch(self, ref: Ref, patch: Manifest) -> None:
        live = self.objects[ref.kind, ref.name]
        if patch.get("metadata", {}).get("resourceVersion") not in (
            None,
            live["metadata"]["resourceVersion"],
        ):
            raise Conflict("the object changed meanwhile")
        self.log.append(f"patch {ref.kind} {ref.name}")
        self._put(_merged(live, patch))

    async def delete(self, ref: Ref) -> None:
        self.log.append(f"delete {ref.kind} {ref.name}")
        live = self.objects[ref.kind, ref.name]
        if ref.uid not in (None, live["metadata"]["uid"]):
            raise Conflict("uid")
        if ref.kind is Kind.RAY_CLUSTER:
            self._change(ref.kind, ref.name, self._deleting)
        else:
            self.remove(ref.kind, ref.name)
        for pod in self.pods(ref.name):
            self._change(Kind.POD, pod, self._deleting)

    async def patch_status(self, key: Key, status: Manifest, *, resource_version: str | None) -> None:
        live = self.objects[group.KIND, key.name]
        if resource_version not in (None, live["metadata"]["resourceVersion"]):
            raise Conflict("the training changed meanwhile")
        self.log.append("status")
        self._put(_merged(live, {"status": status}))

    async def get_claim(self, namespace: str, name: str) -> ClaimFact | None:
        self.claim_looks += 1
        shared = ClaimFact(name, "Bound", "1Ti", deleting=False, access_modes=("ReadWriteMany",))
        return self.claims.get(name, shared)

    async def get_ray_cluster(self, namespace: str, name: str) -> RayClusterFact | None:
        self.cluster_looks += 1
        found = self.objects.get((Kind.RAY_CLUSTER, name))
        return ray_cluster_fact(found) if found is not None else None

    async def emit(self, training: Manifest, event: Event) -> None:
        self.events.append(event)

    # --- RayJobs, Clock ------------------------------------------------------------------------------------
    async def submit(self, submission: Submission) -> None:
        if not self.ray_answers:
            raise RayUnavailable("no answer")
        if submission.submission_id not in self.jobs:
            self.log.append(f"submit {submission.submission_id}")
            self.submissions.append(submission)
            self.jobs[submission.submission_id] = RayJobState.RUNNING

    async def look(self, endpoint: RayEndpoint, submission_id: str) -> RayJobFact:
        self.looks += 1
        if not self.ray_answers:
            raise RayUnavailable("no answer")
        state = self.jobs.get(submission_id, RayJobState.ABSENT)
        return RayJobFact(submission_id, state, "Ray's words", seen_at=self.seconds)

    async def stop(self, stop: Stop) -> None:
        if not self.ray_answers:
            raise RayUnavailable("no answer")
        self.log.append(f"stop {stop.submission_id}")
        self.jobs[stop.submission_id] = RayJobState.STOPPED

    def now(self) -> float:
        return self.seconds

    # --- What people, Kubernetes, KubeRay and the trainer do -----------------------------------------------
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

    def named(self, kind: Kind) -> list[str]:
        return [name for it, name in self.objects if it == kind]

    def pods(self, owner: str) -> list[str]:
        return [
            name
            for (kind, name), it in self.objects.items()
            if kind == Kind.POD and it["metadata"]["ownerReferences"][0]["name"] == owner
        ]

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

    def remove(self, kind: str, name: str) -> None:
        manifest = self.objects.pop((kind, name))
        self._tell(kind, manifest, deleted=True)

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
        self._put(_merged(self.objects[Kind.CONFIG_MAP, name], {"data": {key: text}}))

    def _change(self, kind: str, name: str, change: Callable[[Manifest], object]) -> None:
        manifest = copy.deepcopy(self.objects[kind, name])
        change(manifest)
        self._put(manifest)

    def _deleting(self, manifest: Manifest) -> None:
        manifest["metadata"]["deletionTimestamp"] = written(self.seconds)

    def _put(self, manifest: Manifest) -> None:
        self._versions += 1
        manifest = copy.deepcopy(manifest)
        metadata = manifest["metadata"]
        metadata.setdefault("uid", f"uid-{self._versions}")
        metadata.setdefault("creationTimestamp", written(self.seconds))
        metadata["resourceVersion"] = str(self._versions)
        self.objects[manifest["kind"], metadata["name"]] = manifest
        self._tell(manifest["kind"], manifest)

    def _tell(self, kind: str, manifest: Manifest, *, deleted: bool = False) -> None:
        if kind == Kind.SECRET:
            return  # The operator may not see any.
        if self.lags:
            self._late.append((kind, copy.deepcopy(manifest), deleted))
        else:
            self.store.feed(kind, copy.deepcopy(manifest), deleted=deleted)


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


def _merged(below: Manifest, patch: Manifest) -> Manifest:
    merged = copy.deepcopy(below)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merged(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged


@dataclass
class Operator:
    """The operator in a world; `restart` forgets all that is not written down in the world."""

    world: World
    key: Key
    settings: Settings
    keys: RayKeys
    reconciler: Reconciler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        world = self.world
        self.reconciler = Reconciler(world.store, world, world, world, self.settings, self.keys)

    async def look(self) -> float | None:
        return await self.reconciler.reconcile(self.key)

    async def settle(self) -> str:
        """Look until nothing more is written; return the stage."""
        for _ in range(8):
            before = len(self.world.log)
            await self.look()
            if len(self.world.log) == before:
                return str(self.world.status.get("stage"))
        raise AssertionError(f"it never settles: {self.world.log[-12:]}")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    return Settings(default_image="registry.example.com/rrm-trainer:1")


@pytest.fixture
def keys() -> RayKeys:
    return RayKeys({"k1": b"secret"}, newest="k1")


@pytest.fixture
def world() -> World:
    world = World()
    world.store.set_kuberay(installed=True)
    return world


@pytest.fixture
def load_example() -> Callable[[str], Manifest]:
    return example


@pytest.fixture
def operator(world: World, settings: Settings, keys: RayKeys) -> Operator:
    return Operator(world, world.apply_training(example("tiny-cpu")), settings, keys)


@pytest.fixture
def unforgiving(world: World, settings: Settings, keys: RayKeys) -> Operator:
    """An operator whose training is never tried again by itself."""
    manifest = example("tiny-cpu")
    manifest["spec"]["policy"] = {"maxRestarts": 0}
    return Operator(world, world.apply_training(manifest), settings, keys)


@pytest.fixture
def operator_of(settings: Settings, keys: RayKeys) -> Callable[..., Operator]:
    """Make an operator in a world of its own."""

    def make(manifest: Manifest, **chosen: Any) -> Operator:
        world = World()
        world.store.set_kuberay(installed=True)
        return Operator(world, world.apply_training(manifest), settings.model_copy(update=chosen), keys)

    return make
