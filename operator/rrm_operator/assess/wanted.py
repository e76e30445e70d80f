"""Which RayCluster is wanted: GPUs are given back as soon as nothing needs them."""

from typing import Final

from rrm_api.conditions import Reason
from rrm_operator.assess.consequences import GiveUp, Restart, consequence
from rrm_operator.assess.deadlines import is_overdue
from rrm_operator.assess.endings import attempt_ending, early_ending
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.facts import RayClusterFact

KEPT_SECONDS: Final = 60.0
"""Longest back-off during which a healthy RayCluster keeps its GPUs: making it anew takes longer."""


def wanted_cluster(situation: Situation) -> RayClusterFact | None:
    """Return the RayCluster that shall be there; None = its GPUs go back."""
    cluster = situation.cluster
    if cluster is None or situation.trained is not None:
        return None
    if not situation.submitted:
        return cluster if _is_awaited(situation) else None
    if attempt_ending(situation) is None:
        return cluster
    return cluster if _keeps_for_next(situation, cluster) else None


def leftover_clusters(situation: Situation) -> tuple[RayClusterFact, ...]:
    """Return the RayClusters that nobody wants any more; those that are being deleted included."""
    wanted = wanted_cluster(situation)
    return tuple(it for it in situation.snapshot.clusters if wanted is None or it.name != wanted.name)


def is_running(situation: Situation) -> bool:
    """Return whether the newest attempt was submitted and is not over."""
    return situation.submitted and situation.trained is None and attempt_ending(situation) is None


def next_attempt(situation: Situation) -> int | None:
    """Return the number of the attempt that the wanted RayCluster is for, if it has not begun yet."""
    cluster = wanted_cluster(situation)
    if cluster is None or is_running(situation):
        return None
    return max(cluster.attempt, situation.counted + 1)


def cluster_is_ready(situation: Situation) -> bool:
    """Return whether head and all workers are ready; a RayCluster's own `state` does not tell."""
    cluster, nodes = situation.cluster, situation.training.spec.workers.nodes
    if cluster is None or cluster.suspended:
        return False
    return cluster.head_ready and cluster.ready_workers >= nodes


def _keeps_for_next(situation: Situation, cluster: RayClusterFact) -> bool:
    """Return whether the next attempt goes to the RayCluster of the one that is over."""
    ending, follows = attempt_ending(situation), consequence(situation)
    if ending is None or isinstance(follows, GiveUp) or follows is None or _is_unwanted(situation):
        return False
    if cluster.shape != situation.shape:
        return False
    if ending.reason is Reason.PREEMPTED:
        return early_ending(situation) is None  # Its Workload keeps its place in the queue.
    return ending.reason is Reason.TRAINER_CRASHED and _is_healthy(situation, cluster, follows)


def _is_healthy(situation: Situation, cluster: RayClusterFact, follows: Restart) -> bool:
    """Return whether a process crashed while all pods are well, for the first time or after a checkpoint."""
    pods = situation.pods(*RAY_ROLES, owner=cluster.name)
    whole = len(pods) == situation.training.spec.workers.nodes + 1 and cluster_is_ready(situation)
    well = all(pod.ready and not pod.deleting and not pod.restarts for pod in pods)
    is_first = cluster.attempt == situation.counted or follows.restarts == 0
    waits_briefly = follows.at - situation.now <= KEPT_SECONDS
    return whole and well and is_first and waits_briefly and situation.train_record is not None


def _is_awaited(situation: Situation) -> bool:
    """Return whether a RayCluster that nothing was submitted to is still what the spec asks for."""
    return not _is_unwanted(situation) and situation.keeps_cluster and early_ending(situation) is None


def _is_unwanted(situation: Situation) -> bool:
    return situation.training.spec.suspend or is_overdue(situation)
