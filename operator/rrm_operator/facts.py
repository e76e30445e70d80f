"""Small frozen facts about a training and its children: all that is ever decided upon.

The store fills them from watch events; no bodies are kept except the training's own spec. `Snapshot`
gathers the facts of one training at one moment.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rrm_api.run import Progress, Record, Role

Manifest = dict[str, Any]
"""Kubernetes JSON, at the border only."""


@dataclass(frozen=True, order=True)
class Key:
    """A training by namespace and name: what the work queue holds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return `namespace/name`, as kubectl users write it."""
        return f"{self.namespace}/{self.name}"


class Kind(StrEnum):
    """Kinds of children, each with its own way of being written."""

    PERSISTENT_VOLUME_CLAIM = "PersistentVolumeClaim"
    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"
    SERVICE_ACCOUNT = "ServiceAccount"
    ROLE = "Role"
    ROLE_BINDING = "RoleBinding"
    JOB = "Job"
    RAY_CLUSTER = "RayCluster"
    POD = "Pod"
    NETWORK_POLICY = "NetworkPolicy"
    POD_DISRUPTION_BUDGET = "PodDisruptionBudget"


class PodRole(StrEnum):
    """What a pod does for its training."""

    PREPARE = "prepare"
    HEAD = "head"
    WORKER = "worker"
    EXPORT = "export"


@dataclass(frozen=True)
class PodFact:
    """One pod of a training."""

    name: str
    role: PodRole
    owner: str
    """Name of the Job or RayCluster it belongs to, or belonged to."""
    phase: str
    ready: bool
    deleting: bool
    restarts: int = 0
    waiting_reason: str | None = None
    """Of the first container that waits: `ErrImagePull`, `CreateContainerConfigError`, ..."""
    waiting_message: str | None = None
    unschedulable: str | None = None
    """The scheduler's words, while it cannot place the pod."""
    set_up: bool = True
    """False while its node has not mounted its volumes and set up its network."""
    memory_limit: str = ""
    """Of the main container, as the pod says it: `64Gi`; empty if it has none."""
    exit_code: int | None = None
    """Of the main container's last termination."""
    termination_reason: str | None = None
    termination_message: str | None = None
    image_id: str | None = None
    creation_time: str = ""
    """RFC 3339."""
    started_time: str = ""
    """When its main container started last; empty while it does not run. RFC 3339."""
    scheduled_time: str = ""
    """When it was given a node; empty before. RFC 3339."""
    deletion_time: str = ""
    """When its grace ends, while it is being deleted; RFC 3339."""
    evicted: bool = False
    """Whether it is deleted since somebody asked for its eviction, as drains of nodes do."""
    orphaned: bool = False
    """Whether nothing owns it any more, as after `kubectl delete --cascade=orphan`: so nothing deletes it."""


@dataclass(frozen=True)
class JobFact:
    """A prepare or export Job."""

    name: str
    role: Role
    uid: str
    digest: str
    """Digest of the input it was made for."""
    succeeded: bool
    failed: bool
    deleting: bool
    message: str | None = None
    overdue: bool = False
    """Whether it failed by its deadline."""
    creation_time: str = ""
    """RFC 3339."""
    finished_time: str = ""
    """When it succeeded or failed; RFC 3339, empty while it runs."""


@dataclass(frozen=True)
class RayClusterFact:
    """A RayCluster; `state` is not kept because it does not tell the truth."""

    name: str
    uid: str
    attempt: int
    digest: str
    """Digest of the run file it was made for."""
    head_ready: bool
    head_reason: str | None
    """Reason of `HeadPodReady` while it is not True."""
    ready_workers: int
    head_service: str | None
    head_pod_ip: str | None
    deleting: bool
    provisioned: bool = False
    """Whether all its pods were ready once: from then on KubeRay makes no head anew."""
    replica_failure: str | None = None
    """KubeRay's words while it cannot make or delete pods: quota, LimitRange, Pod Security."""
    shape: str = ""
    """Digest of all that shaped its pods or its run."""
    identity: str = ""
    """Digest of what the rows and the checkpoints of its attempt depend on."""
    ray_key: str = ""
    """Fingerprint of the key that its token is derived from."""
    suspended: bool = False
    """Whether there is no quota for it: Kueue says so in its spec, and KubeRay follows in its status."""
    creation_time: str = ""
    """RFC 3339."""
    resumed_time: str = ""
    """When KubeRay saw its last suspension end; empty if there was none. RFC 3339."""


@dataclass(frozen=True)
class ClaimFact:
    """The training's volume claim."""

    name: str
    phase: str
    """`Pending`, `Bound` or `Lost`."""
    requested: str
    deleting: bool
    access_modes: tuple[str, ...] = ()
    """What its volume can do, such as `ReadWriteMany`."""
    owner: str = ""
    """Uid of its controller, empty if it is kept when the training goes."""


@dataclass(frozen=True)
class ObjectFact:
    """A child of which only existence and content digest matter: ConfigMap, Role, Secret, ..."""

    kind: Kind
    name: str
    uid: str
    digest: str | None
    """Value of the digest annotation we wrote, None if there is none."""
    content: str = ""
    """Digest of the fields that are ours as they are now; empty for a kind of which they are not compared."""
    deleting: bool = False
    owner: str = ""
    """Uid of its controller: a training of the same name that was deleted may still own it."""


@dataclass(frozen=True)
class ProgressFact:
    """What the trainer wrote into the progress ConfigMap, already parsed; bad JSON is kept as text."""

    records: tuple[Record, ...] = ()
    progress: Progress | None = None
    unreadable: tuple[str, ...] = ()
    """`key: why` for every key that could not be parsed."""
    owner: str = ""
    """Uid of the training it was made for."""
    version: str = ""
    """Resource version of the ConfigMap; empty while there is none."""

    def record(self, role: Role) -> Record | None:
        """Return the record of one role, if it was written."""
        return next((record for record in self.records if record.role is role), None)


class RayJobState(StrEnum):
    """Ray's own words, plus `ABSENT` for an unknown id."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    ABSENT = "ABSENT"


@dataclass(frozen=True)
class RayJobFact:
    """What the Ray job API said last about the current submission."""

    submission_id: str
    state: RayJobState
    message: str
    seen_at: float
    """Clock reading, seconds, of the last answer."""
    unreachable_since: float | None = None
    """Clock reading of the first failed question since; None = the last question was answered."""
    exit_code: int | None = None
    silence: str = ""
    """What went wrong with the last question, while it was not answered."""


@dataclass(frozen=True)
class Snapshot:
    """All that is known about one training now."""

    manifest: Manifest
    """The training as last seen: metadata, spec, status."""
    kuberay_installed: bool
    claim: ClaimFact | None = None
    """The claim we made, or the one that the spec names."""
    claim_is_missing: bool = False
    """Whether the claim that the spec names was looked for and is not there."""
    objects: tuple[ObjectFact, ...] = ()
    jobs: tuple[JobFact, ...] = ()
    clusters: tuple[RayClusterFact, ...] = ()
    pods: tuple[PodFact, ...] = ()
    progress: ProgressFact = field(default_factory=ProgressFact)
    ray_job: RayJobFact | None = None
    refused: str | None = None
    """The API server's words when it found an object planned for this generation invalid."""
    forbidden: str | None = None
    """The API server's words when it forbade the last write; it is tried again."""
    not_submitted: str | None = None
    """What went wrong when the job was handed in last; None once Ray knows it."""
    is_ahead: bool = False
    """Whether a RayCluster was read anew and is not what its watch has told, which may never tell it."""
