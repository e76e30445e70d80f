"""What the six verbs need from the world; `kubernetes_cluster` and `ray_jobs` are the real ones."""

from dataclasses import dataclass
from typing import Protocol

from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, RayClusterFact, RayJobFact, Snapshot


@dataclass(frozen=True)
class Ref:
    """An object by kind and name."""

    kind: Kind
    namespace: str
    name: str
    uid: str | None = None
    """Precondition of a delete: never remove a namesake that was made since."""


@dataclass(frozen=True)
class RayEndpoint:
    """Where the Ray job API of one RayCluster answers, and the token it wants."""

    namespace: str
    cluster: str
    head_service: str
    head_pod_ip: str | None
    token: str | None = None


@dataclass(frozen=True)
class Submission:
    """A job to be submitted exactly once."""

    endpoint: RayEndpoint
    submission_id: str
    """`<uid8>-a<attempt>`: the same attempt always has the same id."""
    entrypoint: str
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Stop:
    """A job to be stopped at once, by Ray."""

    endpoint: RayEndpoint
    submission_id: str


@dataclass(frozen=True)
class Event:
    """A Kubernetes event about a training; its reason is the condition's reason."""

    type: str
    """`Normal` or `Warning`."""
    reason: str
    message: str


class Cluster(Protocol):
    """Writes to the API server; raises `ClusterUnavailable`, `Conflict`, `Forbidden`, `Refused`."""

    async def create(self, manifest: Manifest) -> None:
        """Create an object; one that exists already counts as created."""

    async def apply(self, manifest: Manifest) -> None:
        """Server-side apply with our field manager."""

    async def patch(self, ref: Ref, patch: Manifest) -> None:
        """Merge-patch an object (a claim's size; the answer of an earlier prepare Job, which goes)."""

    async def delete(self, ref: Ref) -> None:
        """Delete in the background; an object that is gone counts as deleted."""

    async def get_claim(self, namespace: str, name: str) -> ClaimFact | None:
        """Return a claim that is not ours, and so is not watched; None if it does not exist."""

    async def get_ray_cluster(self, namespace: str, name: str) -> RayClusterFact | None:
        """Return a RayCluster as it is now, for its watch may be late; None if it does not exist."""

    async def patch_status(self, key: Key, status: Manifest, *, resource_version: str | None) -> None:
        """Merge-patch the training's status; with a version, a stale writer gets `Conflict`."""

    async def emit(self, training: Manifest, event: Event) -> None:
        """Record an event about a training."""


class RayJobs(Protocol):
    """The Ray job API. Each method raises `errors.RayUnavailable` when it cannot be reached."""

    async def submit(self, submission: Submission) -> None:
        """Submit once: an id that exists already counts as submitted."""

    async def stop(self, stop: Stop) -> None:
        """Let Ray stop a job; one that has ended, or is unknown, counts as stopped."""

    async def look(self, endpoint: RayEndpoint, submission_id: str) -> RayJobFact:
        """Return the state of a submission; `ABSENT` for an unknown id."""


class Clock(Protocol):
    """Time, injected so that tests can turn it."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""


class Facts(Protocol):
    """The store, read side."""

    def snapshot(self, key: Key) -> Snapshot | None:
        """Return what is known about a training, None if it is gone."""
