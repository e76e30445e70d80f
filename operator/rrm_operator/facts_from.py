"""Manifests in, facts out: pure, one function per kind. Called by the store for every watch event.

Absent parts are normal (a status comes later than its object); an object that cannot be ours gives None.
"""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import ValidationError

from rrm_api import group
from rrm_api.run import PROGRESS_KEY, Progress, Record, Role
from rrm_operator.facts import (
    ClaimFact,
    JobFact,
    Kind,
    Manifest,
    ObjectFact,
    PodFact,
    PodRole,
    ProgressFact,
    RayClusterFact,
)

ChildFact = ClaimFact | JobFact | ObjectFact | PodFact | RayClusterFact

_RAY_NODE_TYPE: Final = "ray.io/node-type"
_NORMAL_WAITS: Final = frozenset({"PodInitializing", "ContainerCreating"})
_EVICTION: Final = "EvictionByEvictionAPI"
_RAY_ROLES: Final = {"head": PodRole.HEAD, "worker": PodRole.WORKER}
_JOB_ROLES: Final = {"prepare": PodRole.PREPARE, "export": PodRole.EXPORT}


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


def training_of(manifest: Manifest) -> str | None:
    """Return the name of the training that a child's label names."""
    return _labels(manifest).get(group.LABEL_TRAINING)


def pod_fact(manifest: Manifest) -> PodFact | None:
    """Return the fact of a pod of a Job or a RayCluster."""
    role, owner = _pod_role(manifest), _controller(manifest).get("name")
    if role is None or owner is None:
        return None
    status = _map(manifest, "status")
    statuses = [*_list(status, "initContainerStatuses"), *_list(status, "containerStatuses")]
    waiting = _trouble(statuses)
    main = _main(manifest, _list(status, "containerStatuses"))
    ended = _map(main, "state", "terminated") or _map(main, "lastState", "terminated")
    conditions = _conditions(manifest)
    scheduled, disrupted = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    unschedulable = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    return PodFact(
        name=_metadata(manifest)["name"],
        role=role,
        owner=owner,
        phase=status.get("phase", "Pending"),
        ready=_holds(conditions.get("Ready", {})),
        deleting=_deleting(manifest),
        restarts=sum(it.get("restartCount", 0) for it in _list(status, "containerStatuses")),
        waiting_reason=waiting.get("reason"),
        waiting_message=waiting.get("message"),
        unschedulable=scheduled.get("message", "Unschedulable") if unschedulable else None,
        exit_code=ended.get("exitCode"),
        termination_reason=ended.get("reason") or status.get("reason"),
        termination_message=ended.get("message") or status.get("message"),
        image_id=main.get("imageID") or None,
        creation_time=_metadata(manifest).get("creationTimestamp") or "",
        started_time=_map(main, "state", "running").get("startedAt") or "",
        scheduled_time=(scheduled.get("lastTransitionTime") or "") if _holds(scheduled) else "",
        deletion_time=_metadata(manifest).get("deletionTimestamp") or "",
        evicted=disrupted.get("status") == "True" and disrupted.get("reason") == _EVICTION,
    )


def job_fact(manifest: Manifest) -> JobFact | None:
    """Return the fact of a prepare or export Job."""
    role = _labels(manifest).get(group.LABEL_ROLE)
    if role not in _JOB_ROLES:
        return None
    conditions = _conditions(manifest)
    complete, failed = conditions.get("Complete", {}), conditions.get("Failed", {})
    ended = next((it for it in (complete, failed) if it.get("status") == "True"), {})
    return JobFact(
        name=_metadata(manifest)["name"],
        role=Role(role),
        uid=_metadata(manifest).get("uid", ""),
        digest=_digest(manifest) or "",
        succeeded=complete.get("status") == "True",
        failed=failed.get("status") == "True",
        deleting=_deleting(manifest),
        message=failed.get("message"),
        creation_time=_metadata(manifest).get("creationTimestamp") or "",
        finished_time=ended.get("lastTransitionTime") or "",
    )


def ray_cluster_fact(manifest: Manifest) -> RayClusterFact:
    """Return the fact of a RayCluster."""
    status, metadata = _map(manifest, "status"), _metadata(manifest)
    head = _map(status, "head")
    conditions = _conditions(manifest)
    ready = conditions.get("HeadPodReady", {})
    head_ready = ready.get("status") == "True"
    attempt = _labels(manifest).get(group.LABEL_ATTEMPT, "")
    return RayClusterFact(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        attempt=int(attempt) if attempt.isdecimal() else 0,
        digest=_digest(manifest) or "",
        head_ready=head_ready,
        head_reason=None if head_ready else _text(ready.get("reason")),
        # KubeRay leaves the key out when the count is zero.
        ready_workers=_count(status.get("readyWorkerReplicas")),
        head_service=_text(head.get("serviceName")),
        head_pod_ip=_text(head.get("podIP")),
        deleting=_deleting(manifest),
        provisioned=conditions.get("RayClusterProvisioned", {}).get("status") == "True",
        replica_failure=_replica_failure(conditions.get("ReplicaFailure", {})),
        shape=_annotation(manifest, group.ANNOTATION_SHAPE) or "",
        identity=_annotation(manifest, group.ANNOTATION_IDENTITY) or "",
        ray_key=_annotation(manifest, group.ANNOTATION_RAY_KEY) or "",
        suspended=_map(manifest, "spec").get("suspend") is True
        or any(_holds(conditions.get(it, {})) for it in ("RayClusterSuspending", "RayClusterSuspended")),
        creation_time=metadata.get("creationTimestamp") or "",
        resumed_time=_resumed_time(conditions.get("RayClusterSuspended", {})),
    )


def claim_fact(manifest: Manifest) -> ClaimFact:
    """Return the fact of a volume claim."""
    return ClaimFact(
        name=_metadata(manifest)["name"],
        phase=_map(manifest, "status").get("phase", "Pending"),
        requested=_map(manifest, "spec", "resources", "requests").get("storage", "0"),
        deleting=_deleting(manifest),
        access_modes=tuple(_map(manifest, "spec").get("accessModes") or ()),
        owner=_controller(manifest).get("uid", ""),
    )


def object_fact(kind: Kind, manifest: Manifest) -> ObjectFact:
    """Return the fact of an object of which only existence and digest matter."""
    metadata = _metadata(manifest)
    return ObjectFact(
        kind=kind,
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        digest=_digest(manifest),
        deleting=_deleting(manifest),
        owner=_controller(manifest).get("uid", ""),
    )


def progress_fact(manifest: Manifest) -> ProgressFact:
    """Return what the trainer wrote into its progress ConfigMap; unknown keys are left alone."""
    records: list[Record] = []
    unreadable: list[str] = []
    progress: Progress | None = None
    data = _map(manifest, "data")
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
    owner = _controller(manifest).get("uid", "")
    version = str(_metadata(manifest).get("resourceVersion", ""))
    return ProgressFact(tuple(records), progress, tuple(unreadable), owner, version)


def slim_training(manifest: Manifest) -> Manifest:
    """Return a training without what only the API server and kubectl need, to be kept in memory."""
    metadata = {key: value for key, value in _metadata(manifest).items() if key != "managedFields"}
    annotations = {
        key: value
        for key, value in _map(metadata, "annotations").items()
        if key != "kubectl.kubernetes.io/last-applied-configuration"
    }
    return {**manifest, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]


def _metadata(manifest: Manifest) -> Manifest:
    return _map(manifest, "metadata")


def _labels(manifest: Manifest) -> dict[str, str]:
    return _map(_metadata(manifest), "labels")


def _digest(manifest: Manifest) -> str | None:
    return _annotation(manifest, group.ANNOTATION_DIGEST)


def _annotation(manifest: Manifest, name: str) -> str | None:
    return _map(_metadata(manifest), "annotations").get(name)


def _deleting(manifest: Manifest) -> bool:
    return _metadata(manifest).get("deletionTimestamp") is not None


def _map(manifest: Manifest, *path: str) -> dict[str, Any]:
    found: Any = manifest
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _count(found: Any) -> int:
    return max(0, found) if isinstance(found, int) else 0


def _text(found: Any) -> str | None:
    """Return a text of at most 253 characters; None for anything else: other versions may say anything."""
    return found[:253] if isinstance(found, str) and found else None


def _list(manifest: Manifest, key: str) -> list[Manifest]:
    found = manifest.get(key)
    return [it for it in found if isinstance(it, dict)] if isinstance(found, list) else []


def _conditions(manifest: Manifest) -> dict[str, Manifest]:
    found = _list(_map(manifest, "status"), "conditions")
    return {it["type"]: it for it in found if isinstance(it.get("type"), str)}


def _controller(manifest: Manifest) -> Manifest:
    owners = _list(_metadata(manifest), "ownerReferences")
    return next((it for it in owners if it.get("controller")), {})


def _pod_role(manifest: Manifest) -> PodRole | None:
    labels = _labels(manifest)
    return _RAY_ROLES.get(labels.get(_RAY_NODE_TYPE, "")) or _JOB_ROLES.get(labels.get(group.LABEL_ROLE, ""))


def _trouble(statuses: Iterable[Manifest]) -> Manifest:
    waits = (_map(status, "state", "waiting") for status in statuses)
    return next((it for it in waits if it.get("reason", "PodInitializing") not in _NORMAL_WAITS), {})


def _main(manifest: Manifest, statuses: list[Manifest]) -> Manifest:
    containers = _list(_map(manifest, "spec"), "containers")
    name = containers[0]["name"] if containers else None
    return next((status for status in statuses if status.get("name") == name), {})


def _holds(condition: Manifest) -> bool:
    return condition.get("status") == "True"


def _resumed_time(suspended: Manifest) -> str:
    return _text(suspended.get("lastTransitionTime")) or "" if suspended.get("status") == "False" else ""


def _replica_failure(condition: Manifest) -> str | None:
    if condition.get("status") != "True":
        return None
    # KubeRay joins its own word and the API server's with a line break.
    said = condition.get("message")
    words = ": ".join(said.splitlines()) if isinstance(said, str) else ""
    return words or _text(condition.get("reason")) or "ReplicaFailure"
