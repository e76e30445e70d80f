"""The claim that data, checkpoints and the exported model live on: kept, unless the spec says otherwise."""

from rrm_api.spec_pods import DeletionPolicy
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import claim_name, metadata_of


def training_claim(training: RewardModelTraining) -> str:
    """Return the name of the claim the training works on."""
    return training.spec.checkpoints.volume.claim_name or claim_name(training.metadata.name)


def plan_claim(training: RewardModelTraining) -> Manifest | None:
    """Return the claim to have; None if the spec names one that exists."""
    volume = training.spec.checkpoints.volume
    if volume.size is None:
        return None
    spec: Manifest = {
        "accessModes": list(volume.access_modes),
        "resources": {"requests": {"storage": volume.size}},
    }
    if volume.storage_class_name is not None:
        spec["storageClassName"] = volume.storage_class_name
    name = claim_name(training.metadata.name)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata_of(
            training.metadata, name, "checkpoints", owned=volume.deletion_policy is DeletionPolicy.DELETE
        ),
        "spec": spec,
    }
