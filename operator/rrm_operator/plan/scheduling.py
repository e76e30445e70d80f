"""`spec.scheduling` on a RayCluster and its pods: queue, priority, and workers that stand together.

    RayCluster labels --Kueue-->   a Workload; Kueue alone owns `spec.suspend`, which is never written here
                      --KubeRay--> a PodGroup (Volcano), or labels and task groups on its pods (YuniKorn)

KubeRay serves one of Volcano and YuniKorn, named by its `--batch-scheduler`; else it ignores the labels.
Kueue takes a group of workers called `head` for the head: ours is called `workers`.
"""

from typing import Any, Final

from rrm_api import group
from rrm_api.spec_scheduling import Scheduler, Scheduling, Topology
from rrm_api.v1alpha1 import RewardModelTrainingSpec
from rrm_operator.facts import Manifest, PodRole

_KUEUE: Final = "kueue.x-k8s.io"
_YUNIKORN: Final = "yunikorn.apache.org"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_HIGHEST_WEIGHT: Final = 100


def cluster_labels(spec: RewardModelTrainingSpec, cluster: str) -> dict[str, str]:
    """Return the labels by which the chosen scheduler knows a RayCluster of that name."""
    scheduling = spec.scheduling
    labels: dict[str, str | None]
    match scheduling.scheduler:
        case Scheduler.KUEUE:
            labels = {
                f"{_KUEUE}/queue-name": scheduling.queue_name,
                f"{_KUEUE}/priority-class": scheduling.workload_priority_class,
            }
        case Scheduler.VOLCANO:
            labels = {
                "volcano.sh/queue-name": scheduling.queue_name,
                # KubeRay copies it into the PodGroup, whose priority is not that of its pods.
                "ray.io/priority-class-name": scheduling.priority_class_name,
            }
        case Scheduler.YUNIKORN:
            labels = {
                # Without it YuniKorn puts all RayClusters of a namespace into one application.
                f"{_YUNIKORN}/app-id": cluster,
                f"{_YUNIKORN}/queue": scheduling.queue_name,
                # KubeRay looks whether the label is there, not at its value.
                "ray.io/gang-scheduling-enabled": "true",
            }
        case Scheduler.DEFAULT:
            labels = {}
    return {name: value for name, value in labels.items() if value is not None}


def with_scheduling(template: Manifest, spec: RewardModelTrainingSpec, role: PodRole) -> Manifest:
    """Return a planned pod template of a Ray pod with its priority, and for workers their topology.

    A priority class in somebody's pod template stays; terms of an affinity there are added to.
    """
    scheduling = spec.scheduling
    if scheduling.priority_class_name is not None:
        priority = {"priorityClassName": scheduling.priority_class_name}
        template = {**template, "spec": {**priority, **template["spec"]}}
    topology = scheduling.topology
    if role is not PodRole.WORKER or topology is None:
        return template
    return _together(template, scheduling, topology)


def _together(template: Manifest, scheduling: Scheduling, topology: Topology) -> Manifest:
    if scheduling.scheduler is Scheduler.KUEUE:
        return _by_kueue(template, topology)
    spec = template["spec"]
    affinity = spec.get("affinity") or {}
    pod_affinity = _with_term(affinity.get("podAffinity") or {}, _workers_of(template), topology)
    return {**template, "spec": {**spec, "affinity": {**affinity, "podAffinity": pod_affinity}}}


def _by_kueue(template: Manifest, topology: Topology) -> Manifest:
    """Return a template whose pods Kueue places, so that it knows at admission whether a domain has room."""
    wanted = {"required": topology.required, "preferred": topology.preferred}
    ours = {f"{_KUEUE}/podset-{kind}-topology": key for kind, key in wanted.items() if key is not None}
    metadata = template["metadata"]
    annotations = {**(metadata.get("annotations") or {}), **ours}
    return {**template, "metadata": {**metadata, "annotations": annotations}}


def _with_term(pod_affinity: dict[str, Any], workers: Manifest, topology: Topology) -> dict[str, Any]:
    """Return a pod affinity with one more term; the first worker matches it itself, so it can be placed."""
    if topology.required is not None:
        term = {"labelSelector": workers, "topologyKey": topology.required}
        return {**pod_affinity, _REQUIRED: [*(pod_affinity.get(_REQUIRED) or []), term]}
    if topology.preferred is not None:
        term = {"labelSelector": workers, "topologyKey": topology.preferred}
        weighted = {"weight": _HIGHEST_WEIGHT, "podAffinityTerm": term}
        return {**pod_affinity, _PREFERRED: [*(pod_affinity.get(_PREFERRED) or []), weighted]}
    return pod_affinity


def _workers_of(template: Manifest) -> Manifest:
    """Return the selector of a training's workers: two RayClusters of one training never run together."""
    labels = template["metadata"]["labels"]
    return {"matchLabels": {name: labels[name] for name in (group.LABEL_TRAINING, group.LABEL_ROLE)}}
