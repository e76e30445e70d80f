"""Facts of pods: what the kubelet and the scheduler say of them, and whose they are."""

from collections.abc import Iterable
from typing import Any, Final

from rrm_api import group
from rrm_operator.credentials import without_credentials
from rrm_operator.facts import Manifest, PodFact, PodRole
from rrm_operator.manifests import (
    conditions_of,
    controller_of,
    holds,
    is_deleting,
    labels_of,
    map_at,
    maps_at,
    metadata_of,
    text_of,
)

_RAY_NODE_TYPE: Final = "ray.io/node-type"
_OWNER_LABELS: Final = ("ray.io/cluster", "batch.kubernetes.io/job-name", "job-name")
_NORMAL_WAITS: Final = frozenset({"PodInitializing", "ContainerCreating"})
_EVICTION: Final = "EvictionByEvictionAPI"
_RAY_ROLES: Final = {"head": PodRole.HEAD, "worker": PodRole.WORKER}
_JOB_ROLES: Final = {"prepare": PodRole.PREPARE, "export": PodRole.EXPORT}


def pod_fact(manifest: Manifest) -> PodFact | None:
    """Return the fact of a pod of a Job or a RayCluster; an orphan that has ended is nothing to anybody."""
    role, controller = _pod_role(manifest), controller_of(manifest)
    owner = controller.get("name") or _former_owner(manifest)
    if role is None or owner is None or (not controller and _has_ended(manifest)):
        return None
    status = map_at(manifest, "status")
    statuses = [*maps_at(status, "initContainerStatuses"), *maps_at(status, "containerStatuses")]
    waiting = _trouble(statuses)
    main = _main(manifest, maps_at(status, "containerStatuses"))
    ended = map_at(main, "state", "terminated") or map_at(main, "lastState", "terminated")
    conditions = conditions_of(manifest)
    scheduled, disrupted = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    unschedulable = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    return PodFact(
        name=metadata_of(manifest)["name"],
        role=role,
        owner=owner,
        phase=status.get("phase", "Pending"),
        ready=holds(conditions.get("Ready", {})),
        deleting=is_deleting(manifest),
        restarts=sum(it.get("restartCount", 0) for it in maps_at(status, "containerStatuses")),
        waiting_reason=waiting.get("reason"),
        waiting_message=_masked(waiting.get("message")),
        unschedulable=scheduled.get("message", "Unschedulable") if unschedulable else None,
        set_up=conditions.get("PodReadyToStartContainers", {}).get("status") != "False",
        memory_limit=_memory_limit(manifest),
        exit_code=ended.get("exitCode"),
        termination_reason=ended.get("reason") or status.get("reason"),
        termination_message=_masked(ended.get("message") or status.get("message")),
        image_id=main.get("imageID") or None,
        creation_time=metadata_of(manifest).get("creationTimestamp") or "",
        started_time=map_at(main, "state", "running").get("startedAt") or "",
        scheduled_time=(scheduled.get("lastTransitionTime") or "") if holds(scheduled) else "",
        deletion_time=metadata_of(manifest).get("deletionTimestamp") or "",
        evicted=disrupted.get("status") == "True" and disrupted.get("reason") == _EVICTION,
        orphaned=not controller,
    )


def _former_owner(manifest: Manifest) -> str | None:
    """Return the name that its maker has labelled a pod with; labels stay when references are removed."""
    labels = labels_of(manifest)
    return next((text_of(labels[it]) for it in _OWNER_LABELS if it in labels), None)


def _has_ended(manifest: Manifest) -> bool:
    return map_at(manifest, "status").get("phase") in ("Succeeded", "Failed")


def _pod_role(manifest: Manifest) -> PodRole | None:
    labels = labels_of(manifest)
    return _RAY_ROLES.get(labels.get(_RAY_NODE_TYPE, "")) or _JOB_ROLES.get(labels.get(group.LABEL_ROLE, ""))


def _trouble(statuses: Iterable[Manifest]) -> Manifest:
    waits = (map_at(status, "state", "waiting") for status in statuses)
    return next((it for it in waits if it.get("reason", "PodInitializing") not in _NORMAL_WAITS), {})


def _main(manifest: Manifest, statuses: list[Manifest]) -> Manifest:
    containers = maps_at(map_at(manifest, "spec"), "containers")
    name = containers[0]["name"] if containers else None
    return next((status for status in statuses if status.get("name") == name), {})


def _masked(words: Any) -> str | None:
    """Return the words of a process or of the kubelet: they end up where more people read than logs."""
    return without_credentials(words) if isinstance(words, str) else None


def _memory_limit(manifest: Manifest) -> str:
    main = next(iter(maps_at(map_at(manifest, "spec"), "containers")), {})
    return text_of(map_at(main, "resources", "limits").get("memory")) or ""
