"""An API server that remembers, a Ray that runs nothing, and a clock that is turned: the operator's ports."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from rrm_api import group
from rrm_operator.assess.moments import written
from rrm_operator.errors import Conflict, RayUnavailable, Refused
from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, RayClusterFact, RayJobFact, RayJobState
from rrm_operator.facts_from import ray_cluster_fact
from rrm_operator.ports import Event, RayEndpoint, Ref, Stop, Submission
from rrm_operator.store import Store

NAMESPACE = "demo"
START = 1_700_000_000.0


@dataclass
class ClusterThatRemembers:
    """`Cluster`, `RayJobs`, `Clock` and, through the store, `Facts`."""

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
        self._put(merged(live, patch))

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
        self._put(merged(live, {"status": status}))

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

    # --- What it remembers ---------------------------------------------------------------------------------
    def named(self, kind: Kind) -> list[str]:
        return [name for it, name in self.objects if it == kind]

    def pods(self, owner: str) -> list[str]:
        return [
            name
            for (kind, name), it in self.objects.items()
            if kind == Kind.POD and it["metadata"]["ownerReferences"][0]["name"] == owner
        ]

    def remove(self, kind: str, name: str) -> None:
        manifest = self.objects.pop((kind, name))
        self._tell(kind, manifest, deleted=True)

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


def merged(below: Manifest, patch: Manifest) -> Manifest:
    """Return what a merge patch makes of a manifest."""
    above = copy.deepcopy(below)
    for key, value in patch.items():
        if value is None:
            above.pop(key, None)
        elif isinstance(value, dict):
            above[key] = merged(above.get(key) or {}, value)
        else:
            above[key] = value
    return above
