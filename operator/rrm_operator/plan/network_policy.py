"""Who may open connections to a training's pods: each other, and the operator to the head's job API.

Only `Ingress` is restricted. Whoever reaches an open port of Ray runs code on the GPUs, so nobody outside the
training needs one. Egress stays open: the pods talk to hubs, object stores, the cluster's DNS and the API
server, whose addresses no selector can name; a list of them would be wrong in the next cluster. Policies add
up: one of the administrator's own may let a metrics collector in, and another may narrow egress.

The cluster's network has to enforce policies; a plain bridge accepts and ignores them.
"""

from typing import Final

from rrm_api import group
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import metadata_of
from rrm_operator.settings import RayReach, Settings

OPERATOR_LABELS: Final = {"app.kubernetes.io/name": "rrm-operator"}
"""What the chart labels the operator's pods with, whatever the release is called."""
_NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
_JOB_API: Final = {"protocol": "TCP", "port": 8265}


def plan_network_policy(training: RewardModelTraining, settings: Settings) -> Manifest:
    """Return the policy for all pods of a training: head, workers and Jobs."""
    name = training.metadata.name
    ours = {"matchLabels": {group.LABEL_TRAINING: name}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata_of(training.metadata, f"{name}-network", "network"),
        "spec": {
            "podSelector": ours,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": ours}]}, _job_api(settings)],
        },
    }


def _job_api(settings: Settings) -> Manifest:
    """Return who may reach the job API.

    A gateway, the API server's proxy and a process on a node have no pod to select: then the port is open,
    and Ray's token alone decides who may submit.
    """
    if settings.ray_url is not None or settings.ray_reach is not RayReach.SERVICE:
        return {"ports": [_JOB_API]}
    operator = {
        "namespaceSelector": {"matchLabels": {_NAMESPACE_LABEL: settings.operator_namespace}},
        "podSelector": {"matchLabels": OPERATOR_LABELS},
    }
    return {"from": [operator], "ports": [_JOB_API]}
