"""Manifests in, facts out: pure, one function per kind. Called by the store for every watch event.

Absent parts are normal (a status comes later than its object); an object that cannot be ours gives None.
"""

from typing import Final

from pydantic import ValidationError

from rrm_api import group
from rrm_api.run import PROGRESS_KEY, Progress, Record, Role
from rrm_operator.content import content_digest
from rrm_operator.facts import (
    ClaimFact,
    JobFact,
    Kind,
    Manifest,
    ObjectFact,
    PodFact,
    ProgressFact,
    RayClusterFact,
)
from rrm_operator.manifests import (
    annotation_of,
    conditions_of,
    controller_of,
    count_of,
    holds,
    is_deleting,
    labels_of,
    map_at,
    metadata_of,
    text_of,
)
from rrm_operator.pod_facts import pod_fact

ChildFact = ClaimFact | JobFact | ObjectFact | PodFact | RayClusterFact

_JOB_ROLES: Final = frozenset({Role.PREPARE, Role.EXPORT})


def child_fact(kind: Kind, manifest: Manifest) -> ChildFact | None:
    """Return the fact of a child of any kind; None if its labels do not say what it is for."""
    match kind:
        case Kind.POD:
            return pod_fact(manifest)
        case Kind.JOB:
            return job_fact(manifest)
        case Kind.RAY_CLUSTER:
            return ray_cluster_fact(manifest)
        case Kind.PERSISTENT_VOLUME_CLAIM:
            return claim_fact(manifest)
        case _:
            return object_fact(kind, manifest)


def job_fact(manifest: Manifest) -> JobFact | None:
    """Return the fact of a prepare or export Job."""
    role = labels_of(manifest).get(group.LABEL_ROLE)
    if role not in _JOB_ROLES:
        return None
    conditions = conditions_of(manifest)
    complete, failed = conditions.get("Complete", {}), conditions.get("Failed", {})
    ended = next((it for it in (complete, failed) if it.get("status") == "True"), {})
    return JobFact(
        name=metadata_of(manifest)["name"],
        role=Role(role),
        uid=metadata_of(manifest).get("uid", ""),
        digest=_digest(manifest) or "",
        succeeded=complete.get("status") == "True",
        failed=failed.get("status") == "True",
        deleting=is_deleting(manifest),
        message=failed.get("message"),
        overdue=failed.get("reason") == "DeadlineExceeded",
        creation_time=metadata_of(manifest).get("creationTimestamp") or "",
        finished_time=ended.get("lastTransitionTime") or "",
    )


def ray_cluster_fact(manifest: Manifest) -> RayClusterFact:
    """Return the fact of a RayCluster."""
    status, metadata = map_at(manifest, "status"), metadata_of(manifest)
    head = map_at(status, "head")
    conditions = conditions_of(manifest)
    ready = conditions.get("HeadPodReady", {})
    head_ready = ready.get("status") == "True"
    attempt = labels_of(manifest).get(group.LABEL_ATTEMPT, "")
    return RayClusterFact(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        attempt=int(attempt) if attempt.isdecimal() else 0,
        digest=_digest(manifest) or "",
        head_ready=head_ready,
        head_reason=None if head_ready else text_of(ready.get("reason")),
        # KubeRay leaves the key out when the count is zero.
        ready_workers=count_of(status.get("readyWorkerReplicas")),
        head_service=text_of(head.get("serviceName")),
        head_pod_ip=text_of(head.get("podIP")),
        deleting=is_deleting(manifest),
        provisioned=conditions.get("RayClusterProvisioned", {}).get("status") == "True",
        replica_failure=_replica_failure(conditions.get("ReplicaFailure", {})),
        shape=annotation_of(manifest, group.ANNOTATION_SHAPE) or "",
        identity=annotation_of(manifest, group.ANNOTATION_IDENTITY) or "",
        ray_key=annotation_of(manifest, group.ANNOTATION_RAY_KEY) or "",
        suspended=map_at(manifest, "spec").get("suspend") is True
        or any(holds(conditions.get(it, {})) for it in ("RayClusterSuspending", "RayClusterSuspended")),
        creation_time=metadata.get("creationTimestamp") or "",
        resumed_time=_resumed_time(conditions.get("RayClusterSuspended", {})),
    )


def claim_fact(manifest: Manifest) -> ClaimFact:
    """Return the fact of a volume claim."""
    return ClaimFact(
        name=metadata_of(manifest)["name"],
        phase=map_at(manifest, "status").get("phase", "Pending"),
        requested=map_at(manifest, "spec", "resources", "requests").get("storage", "0"),
        deleting=is_deleting(manifest),
        access_modes=tuple(map_at(manifest, "spec").get("accessModes") or ()),
        owner=controller_of(manifest).get("uid", ""),
    )


def object_fact(kind: Kind, manifest: Manifest) -> ObjectFact:
    """Return the fact of an object of which only existence and digest matter."""
    metadata = metadata_of(manifest)
    return ObjectFact(
        kind=kind,
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        digest=_digest(manifest),
        content=content_digest(kind, manifest),
        deleting=is_deleting(manifest),
        owner=controller_of(manifest).get("uid", ""),
    )


def progress_fact(manifest: Manifest) -> ProgressFact:
    """Return what the trainer wrote into its progress ConfigMap; unknown keys are left alone."""
    records: list[Record] = []
    unreadable: list[str] = []
    progress: Progress | None = None
    data = map_at(manifest, "data")
    for key in (*Role, PROGRESS_KEY):
        if key not in data:
            continue
        try:
            if key == PROGRESS_KEY:
                progress = Progress.model_validate_json(data[key])
            else:
                records.append(Record.model_validate_json(data[key]))
        except ValidationError as error:
            unreadable.append(f"{key}: {_first_fault(error)}")
    owner = controller_of(manifest).get("uid", "")
    version = str(metadata_of(manifest).get("resourceVersion", ""))
    return ProgressFact(tuple(records), progress, tuple(unreadable), owner, version)


def slim_training(manifest: Manifest) -> Manifest:
    """Return a training without what only the API server and kubectl need, to be kept in memory."""
    metadata = {key: value for key, value in metadata_of(manifest).items() if key != "managedFields"}
    annotations = {
        key: value
        for key, value in map_at(metadata, "annotations").items()
        if key != "kubectl.kubernetes.io/last-applied-configuration"
    }
    return {**manifest, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]


def _digest(manifest: Manifest) -> str | None:
    return annotation_of(manifest, group.ANNOTATION_DIGEST)


def _resumed_time(suspended: Manifest) -> str:
    return text_of(suspended.get("lastTransitionTime")) or "" if suspended.get("status") == "False" else ""


def _replica_failure(condition: Manifest) -> str | None:
    if condition.get("status") != "True":
        return None
    # KubeRay joins its own word and the API server's with a line break.
    said = condition.get("message")
    words = ": ".join(said.splitlines()) if isinstance(said, str) else ""
    return words or text_of(condition.get("reason")) or "ReplicaFailure"
