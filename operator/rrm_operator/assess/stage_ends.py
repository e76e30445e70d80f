"""The questions about what goes: an attempt that is stopped, a RayCluster whose GPUs are given back."""

from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_operator.assess.endings import attempt_ending, early_ending
from rrm_operator.assess.moments import written
from rrm_operator.assess.pod_troubles import is_stuck, stuck_remedy
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.assess.standing import Standing
from rrm_operator.assess.stopping import stop_order
from rrm_operator.assess.wanted import is_running, leftover_clusters, wanted_cluster

_NAMED_PODS: Final = 3


def is_stopping(situation: Situation) -> Standing | None:
    """Return that an attempt was asked to stop and has not left yet."""
    order = stop_order(situation)
    if order is None or not is_running(situation):
        return None
    how = f"saving, until {written(order.kill_at)} at the latest" if order.saves else "without saving"
    message = f"attempt {situation.counted} is stopped: {order.message}; {how}"
    return Standing(Stage.STOPPING, Reason.STOPPING, message)


def is_releasing(situation: Situation) -> Standing | None:
    """Return that there are GPUs or pods of a past attempt that nothing needs."""
    wanted = wanted_cluster(situation)
    pods = situation.pods(*RAY_ROLES)
    remaining = [pod for pod in pods if wanted is None or pod.owner != wanted.name]
    if not remaining and not leftover_clusters(situation):
        return None
    names = ", ".join(pod.name for pod in remaining[:_NAMED_PODS])
    more = len(remaining) - _NAMED_PODS
    waits = "; waiting until its pods are gone" + (f": {names}" if names else "")
    waits += f" and {more} more" if more > 0 else ""
    stuck = [pod for pod in remaining if is_stuck(situation, pod)]
    if stuck:
        message = f"{_why_released(situation)}{waits}; {stuck_remedy(situation, stuck)}"
        return Standing(Stage.STALLED, Reason.PODS_STUCK, message)
    return Standing(Stage.RELEASING, Reason.RELEASING, _why_released(situation) + waits)


def _why_released(situation: Situation) -> str:
    early, ending = early_ending(situation), attempt_ending(situation)
    if situation.trained is not None:
        return f"attempt {situation.counted} reached its last step"
    if early is not None:
        return f"attempt {situation.attempt} could not begin: {early.message}"
    if ending is not None and ending.reason is Reason.REPLACED:
        return "the RayCluster is replaced"
    if ending is not None:
        return f"attempt {situation.counted} ended: {ending.message}"
    return (
        "the RayCluster is not needed now" if situation.cluster is not None else "the RayCluster was deleted"
    )
