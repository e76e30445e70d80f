"""Whether a RayCluster is to be read anew before anything is decided upon it."""

from rrm_api.conditions import Reason
from rrm_operator.assess.endings import attempt_ending, early_ending
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.wanted import cluster_is_ready, next_attempt


def doubted_cluster(situation: Situation) -> str | None:
    """Return the name of the RayCluster to read anew; None if what its watch has told is enough.

    Kueue suspends a RayCluster, and so its pods go and its trainer leaves or dies. The watches of pods,
    progress and RayClusters keep no order among each other, so this may be seen before the suspension. So
    before an end is told for the first time, and before a RayCluster that was preempted is used again, the
    API server is asked whether it is suspended: an end that is a preemption costs no restart.
    """
    cluster, remembered = situation.cluster, situation.counted_status
    if cluster is None or cluster.suspended or situation.trained is not None:
        return None
    if early_ending(situation) is not None:
        return cluster.name
    if situation.has_next_cluster:
        return None  # How it ends before it is used is asked for above.
    if not situation.is_over:
        return cluster.name if attempt_ending(situation) is not None else None
    was_preempted = remembered is not None and remembered.reason == Reason.PREEMPTED
    is_used = next_attempt(situation) is not None and cluster_is_ready(situation)
    return cluster.name if was_preempted and is_used else None
