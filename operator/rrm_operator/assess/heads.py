"""What the head pod tells: whether it is lost, drained, or restarted. Without it no attempt goes on."""

from rrm_api.conditions import Reason
from rrm_operator.assess.failures import Failure, last_words
from rrm_operator.assess.moments import seconds_of
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import PodFact, PodRole, RayClusterFact


def is_saving(situation: Situation, cluster: RayClusterFact) -> bool:
    """Return whether the newest attempt saves because its head is drained: its record is about to come.

    Until then its workers are needed, and leave no sooner if their RayCluster is deleted.
    """
    heads = situation.pods(PodRole.HEAD, owner=cluster.name)
    ends = [seconds_of(pod.deletion_time) for pod in heads if _is_drained(pod)]
    return _can_save(situation) and any(end is not None and situation.now < end for end in ends)


def _is_drained(pod: PodFact) -> bool:
    return pod.evicted and pod.deleting and pod.phase not in ("Failed", "Succeeded")


def _can_save(situation: Situation) -> bool:
    grace = situation.training.spec.checkpoints.save_grace_seconds
    return situation.submitted and not situation.is_over and situation.stepped and grace > 0


def gone_head(situation: Situation, cluster: RayClusterFact) -> Failure | None:
    """Return how the head went: drained before there was anything to save, or lost."""
    heads = situation.pods(PodRole.HEAD, owner=cluster.name)
    drained = next((pod for pod in heads if _is_drained(pod)), None)
    if drained is not None and not _can_save(situation):
        return Failure(Reason.DRAINED, f"the head pod {drained.name} is drained, with nothing to save")
    return _lost_head(situation, cluster)


def _lost_head(situation: Situation, cluster: RayClusterFact) -> Failure | None:
    heads = situation.pods(PodRole.HEAD, owner=cluster.name)
    if not heads:
        # KubeRay must have seen it too: one missing pod event alone must not end a healthy attempt.
        return None if cluster.head_ready else cluster_loss(f"the head pod of {cluster.name} is gone", None)
    if all(pod.deleting for pod in heads):
        return cluster_loss(f"the head pod {heads[0].name} is being deleted", heads[0])
    for pod in heads:
        if pod.phase in ("Failed", "Succeeded"):
            return cluster_loss(f"the head pod {pod.name} has ended", pod)
    return None


def cluster_loss(what: str, pod: PodFact | None) -> Failure:
    """Return that a RayCluster is lost, in the last words of a pod if it left any."""
    words = last_words(pod)
    code = pod.exit_code if pod is not None else None
    killed = pod is not None and pod.termination_reason == "OOMKilled"
    reason = Reason.OUT_OF_MEMORY if killed else Reason.CLUSTER_LOST
    return Failure(reason, what + (f": {words}" if words else ""), code)


def has_new_head(situation: Situation) -> bool:
    """Return whether the head's container was restarted after its attempt was counted.

    Its first start is none: it only seems to be later where the clock of its node is ahead.
    """
    attempt, cluster = situation.counted_status, situation.cluster
    began = seconds_of(attempt.start_time) if attempt is not None else None
    heads = situation.pods(PodRole.HEAD, owner=cluster.name) if cluster is not None else ()
    started = (seconds_of(pod.started_time) for pod in heads if pod.restarts)
    return began is not None and any(it is not None and it > began for it in started)
