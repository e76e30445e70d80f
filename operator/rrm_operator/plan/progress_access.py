"""Where the trainer answers, and its right to do so: one empty ConfigMap and a Role that names it alone."""

from rrm_api import group
from rrm_api.run import PROGRESS_CONFIG_MAP_ENV
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import account_name, metadata_of, progress_name

_RBAC = "rbac.authorization.k8s.io"


def service_account(training: RewardModelTraining) -> str:
    """Return the service account of all pods."""
    return training.spec.service_account_name or account_name(training.metadata.name)


def progress_environment(training: RewardModelTraining) -> dict[str, str]:
    """Return how a process learns where to answer."""
    return {PROGRESS_CONFIG_MAP_ENV: progress_name(training.metadata.name)}


def plan_progress_access(
    training: RewardModelTraining, *, stopped: int | None = None
) -> tuple[Manifest, ...]:
    """Return the progress ConfigMap, without data of ours, and what lets the trainer write it.

    Args:
        training: Whose.
        stopped: Attempt that shall save and leave; its parent process looks for the annotation.
    """
    metadata = training.metadata
    account: Manifest = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata_of(metadata, account_name(metadata.name), "progress"),
        # A token is mounted only into pods that say so.
        "automountServiceAccountToken": False,
    }
    config_map: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata_of(metadata, progress_name(metadata.name), "progress"),
    }
    if stopped is not None:
        config_map["metadata"]["annotations"] = {group.ANNOTATION_STOP_ATTEMPT: str(stopped)}
    own = () if training.spec.service_account_name else (account,)
    return (config_map, *own, _role(training), _role_binding(training))


def _role(training: RewardModelTraining) -> Manifest:
    metadata = training.metadata
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": metadata_of(metadata, account_name(metadata.name), "progress"),
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": [progress_name(metadata.name)],
                "verbs": ["get", "watch", "patch"],
            }
        ],
    }


def _role_binding(training: RewardModelTraining) -> Manifest:
    metadata = training.metadata
    subject = {
        "kind": "ServiceAccount",
        "name": service_account(training),
        "namespace": metadata.namespace,
    }
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata_of(metadata, account_name(metadata.name), "progress"),
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": account_name(metadata.name)},
        "subjects": [subject],
    }
