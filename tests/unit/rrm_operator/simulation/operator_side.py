"""The operator's ports in this world: `Cluster`, `RayJobs` and `Clock`, each call over the `Wire`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rrm_api import group
from rrm_operator.errors import Conflict, RayUnavailable
from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, RayClusterFact, RayJobFact, RayJobState
from rrm_operator.facts_from import claim_fact, ray_cluster_fact
from rrm_operator.ports import Event, RayEndpoint, Ref, Stop, Submission

from .api_server import ApiServer, merged
from .faults import Wire
from .invariants import Invariants
from .kuberay import KubeRay
from .ray import Ray


@dataclass
class Ports:
    """What the operator may do; counts what it wrote."""

    api: ApiServer
    ray: Ray
    wire: Wire
    invariants: Invariants
    kuberay: KubeRay
    writes: int = 0
    clock_error: float = 0.0
    """Seconds by which the operator's clock is ahead of the world's."""
    events: list[Event] = field(default_factory=list)

    def now(self) -> float:
        return self.api.timeline.now + self.clock_error

    async def create(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]

        def act() -> None:
            if self.api.get(kind, name) is None:
                self.invariants.creates(manifest)
                self.api.put(self.kuberay.received(manifest))

        self._write(f"create {kind} {name}", act)

    async def apply(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        self._write(f"apply {kind} {name}", lambda: self.api.apply(manifest))

    async def patch(self, ref: Ref, patch: Manifest) -> None:
        def act() -> None:
            live = self.api.get(ref.kind, ref.name)
            if live is None:
                raise Conflict(f"{ref.kind} {ref.name}: HTTP 404")
            version = patch.get("metadata", {}).get("resourceVersion")
            if version not in (None, live["metadata"]["resourceVersion"]):
                raise Conflict("HTTP 409: the object changed meanwhile")
            self.api.put(merged(live, patch))

        self._write(f"patch {ref.kind} {ref.name}", act)

    async def delete(self, ref: Ref) -> None:
        def act() -> None:
            live = self.api.get(ref.kind, ref.name)
            # As the real one: an object that is gone, or made anew since, counts as deleted.
            if live is not None and ref.uid in (None, live["metadata"]["uid"]):
                self.invariants.deletes(live)
                self.api.delete(ref.kind, ref.name)

        self._write(f"delete {ref.kind} {ref.name}", act)

    async def get_claim(self, namespace: str, name: str) -> ClaimFact | None:
        found: list[Manifest | None] = []
        self.wire.carry(
            f"get claim {name}", lambda: found.append(self.api.get(Kind.PERSISTENT_VOLUME_CLAIM, name))
        )
        return claim_fact(found[0]) if found[0] is not None else None

    async def get_ray_cluster(self, namespace: str, name: str) -> RayClusterFact | None:
        found: list[Manifest | None] = []
        self.wire.carry(f"get RayCluster {name}", lambda: found.append(self.api.get(Kind.RAY_CLUSTER, name)))
        return ray_cluster_fact(found[0]) if found[0] is not None else None

    async def patch_status(self, key: Key, status: Manifest, *, resource_version: str | None) -> None:
        def act() -> None:
            live = self.api.get(group.KIND, key.name)
            if live is None:
                raise Conflict("HTTP 404")
            if resource_version not in (None, live["metadata"]["resourceVersion"]):
                raise Conflict("HTTP 409: the training changed meanwhile")
            new = merged(live, {"status": status})
            self.invariants.writes_status(live, new)
            self.api.put(new)

        self._write("status", act)

    async def emit(self, training: Manifest, event: Event) -> None:
        self.api.timeline.tell(f"  event {event.type} {event.reason}: {event.message[:150]}")
        self.events = [*self.events[-20:], event]

    async def submit(self, submission: Submission) -> None:
        def act() -> None:
            self.ray.reach(submission.endpoint.cluster)
            self.invariants.submits(submission)
            self.ray.submit(submission)

        self.writes += 1
        self.api.timeline.tell(f"  submit {submission.submission_id} to {submission.endpoint.cluster}")
        self.wire.carry("submit", act, ray=True)

    async def stop(self, stop: Stop) -> None:
        def act() -> None:
            self.ray.reach(stop.endpoint.cluster)
            self.ray.stop(stop.endpoint.cluster, stop.submission_id)

        self.writes += 1
        self.api.timeline.tell(f"  stop {stop.submission_id}")
        self.wire.carry("stop", act, ray=True)

    async def look(self, endpoint: RayEndpoint, submission_id: str) -> RayJobFact:
        state: list[RayJobState] = []

        def act() -> None:
            self.ray.reach(endpoint.cluster)
            state.append(self.ray.state(endpoint.cluster, submission_id))

        self.wire.carry("look", act, ray=True)
        if not state:
            raise RayUnavailable("no answer")
        return RayJobFact(submission_id, state[0], "Ray's words", seen_at=self.now())

    def _write(self, name: str, act: Callable[[], None]) -> None:
        self.writes += 1
        if name != "status":
            self.api.timeline.tell(f"  {name}")
        self.wire.carry(name, act)
