"""What keeps pods from running: in the words of the kubelet or the scheduler, or where both are silent.

Of a volume that cannot be mounted a pod's status says nothing, for ever: its containers are "being created".
What tells is that the kubelet has not set the pod up, long after it was placed.
"""

from collections.abc import Sequence
from typing import Final

from rrm_api.conditions import Reason
from rrm_operator.assess.moments import seconds_of
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.facts import PodFact

SETTING_UP_SECONDS: Final = 60.0
"""How long a node may take to mount the volumes of a pod before that is told; usually it takes seconds."""
STUCK_SECONDS: Final = 300.0
"""How long after its grace a pod may still be there before a person is told."""
_NODE_REMEDY: Final = (
    "its node does not answer; if it is gone for good, `kubectl delete node` it, or `kubectl delete pod "
    "--force` the pod: until then it might still write to the volume"
)
_INVALID_IMAGE: Final = "InvalidImageName"
_IMAGE_WAITS: Final = (
    _INVALID_IMAGE,
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
)


def pod_trouble(situation: Situation, pods: tuple[PodFact, ...]) -> str | None:
    """Return what keeps a pod from running."""
    for pod in pods:
        if pod.waiting_reason:
            return _why_it_waits(pod)
        if pod.unschedulable:
            return f"pod {pod.name} cannot be scheduled: {pod.unschedulable}"
        if _lacks_volumes(pod, situation.now):
            return (
                f"pod {pod.name} was placed at {pod.scheduled_time}, but its volumes cannot be mounted, or "
                f"its network not be set up; {describe(situation, pod)}"
            )
    return None


def capacity_trouble(situation: Situation, pods: tuple[PodFact, ...]) -> Reason | None:
    """Return why pods have not started, in one word; None where nobody said."""
    for pod in pods:
        if pod.waiting_reason in _IMAGE_WAITS:
            return Reason.IMAGE_UNAVAILABLE
        if pod.waiting_reason == "CreateContainerConfigError":
            return Reason.INVALID_SPEC  # A Secret or ConfigMap that the spec names is not there.
        if pod.unschedulable:
            return Reason.UNSCHEDULABLE
        if _lacks_volumes(pod, situation.now):
            return Reason.VOLUME_UNAVAILABLE
    return None


def invalid_image(pods: tuple[PodFact, ...]) -> str | None:
    """Return the kubelet's words about an image name that no waiting can make right."""
    return next((_why_it_waits(pod) for pod in pods if pod.waiting_reason == _INVALID_IMAGE), None)


def killed_for_memory(pods: tuple[PodFact, ...]) -> str:
    """Return which pod reached its memory limit, empty if none did."""
    pod = next((it for it in pods if it.termination_reason == "OOMKilled"), None)
    if pod is None:
        return ""
    limit = f" of {pod.memory_limit}" if pod.memory_limit else ""
    return f"pod {pod.name} was killed at its memory limit{limit}"


def until_volumes_are_missed(situation: Situation, pods: tuple[PodFact, ...]) -> list[float]:
    """Return in how many seconds each pod that is being set up is said to lack its volumes."""
    placed = (seconds_of(pod.scheduled_time) for pod in pods if _is_being_set_up(pod))
    waits = (it + SETTING_UP_SECONDS - situation.now for it in placed if it is not None)
    return [it for it in waits if it > 0]


def is_stuck(situation: Situation, pod: PodFact) -> bool:
    """Return whether a pod should have been gone long ago, or is there for ever: nothing owns it any more."""
    if not pod.deleting:
        return pod.orphaned
    end = seconds_of(pod.deletion_time)
    return end is not None and situation.now >= end + STUCK_SECONDS


def stuck_remedy(situation: Situation, pods: Sequence[PodFact]) -> str:
    """Return what a person must do about pods that are stuck."""
    orphans = [pod for pod in pods if not pod.deleting]
    if not orphans:
        return _NODE_REMEDY
    clusters = sorted({pod.owner for pod in orphans if pod.role in RAY_ROLES})
    which = [f"--selector ray.io/cluster={it}" for it in clusters]
    which += [pod.name for pod in orphans if pod.role not in RAY_ROLES]
    namespace = situation.training.metadata.namespace
    commands = " and ".join(f"`kubectl delete pod --namespace {namespace} {it}`" for it in which)
    return (
        "nothing owns them any more (`--cascade=orphan`), so nothing but you will delete them, and they may "
        f"still write to the volume: {commands}"
    )


def until_stuck(situation: Situation, pods: tuple[PodFact, ...]) -> list[float]:
    """Return in how many seconds each pod that is being deleted should have been gone long ago."""
    ends = (seconds_of(pod.deletion_time) for pod in pods if pod.deleting)
    waits = (it + STUCK_SECONDS - situation.now for it in ends if it is not None)
    return [it for it in waits if it > 0]


def describe(situation: Situation, pod: PodFact) -> str:
    """Return how to ask the kubelet: it tells more in events, which nobody else has to read."""
    namespace = situation.training.metadata.namespace
    return f"`kubectl describe pod {pod.name} --namespace {namespace}` says why"


def _why_it_waits(pod: PodFact) -> str:
    said = f": {pod.waiting_message}" if pod.waiting_message else ""
    return f"pod {pod.name}: {pod.waiting_reason}{said}"


def _lacks_volumes(pod: PodFact, now: float) -> bool:
    placed = seconds_of(pod.scheduled_time)
    return _is_being_set_up(pod) and placed is not None and now >= placed + SETTING_UP_SECONDS


def _is_being_set_up(pod: PodFact) -> bool:
    return pod.phase == "Pending" and not pod.set_up and not pod.deleting
