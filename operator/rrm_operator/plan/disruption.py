"""`policy.onDrain: Block`: what keeps Ray pods from being evicted by drains and by autoscalers.

verl's shards are spread over all workers: one pod less, and no further step is made.
"""

from typing import Final

from rrm_api import group
from rrm_api.spec_train import OnDrain
from rrm_api.v1alpha1 import RewardModelTraining, RewardModelTrainingSpec
from rrm_operator.facts import Manifest, PodRole
from rrm_operator.plan.names import metadata_of

_HEADS: Final = 1
_BLOCKING: Final = {
    # Karpenter does not ask a budget before it decides to consolidate a node.
    "karpenter.sh/do-not-disrupt": "true",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
}


def plan_disruption_budget(training: RewardModelTraining) -> Manifest | None:
    """Return the budget that no Ray pod may be taken from; None where a drain shall save and go on.

    A number, since a RayCluster has no scale subresource that a percentage or `maxUnavailable` could be
    counted from. A pod that is not ready trains nothing, so it may always go: a broken node can be drained.
    """
    if training.spec.policy.on_drain is OnDrain.SAVE:
        return None
    name = training.metadata.name
    ray_pods = {
        "key": group.LABEL_ROLE,
        "operator": "In",
        "values": [PodRole.HEAD.value, PodRole.WORKER.value],
    }
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata_of(training.metadata, f"{name}-ray", "disruption"),
        "spec": {
            "minAvailable": training.spec.workers.nodes + _HEADS,
            # Named to be removed: who sets it by hand takes `minAvailable` away, and both are refused.
            "maxUnavailable": None,
            "selector": {"matchLabels": {group.LABEL_TRAINING: name}, "matchExpressions": [ray_pods]},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def disruption_annotations(spec: RewardModelTrainingSpec) -> dict[str, str]:
    """Return the annotations of head and workers that autoscalers of nodes look at."""
    return dict(_BLOCKING) if spec.policy.on_drain is OnDrain.BLOCK else {}
