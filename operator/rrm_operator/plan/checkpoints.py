"""The claim that data, checkpoints and the exported model live on: kept, unless the spec says otherwise."""

import re
from decimal import Decimal
from typing import Final

from rrm_api.spec_pods import DeletionPolicy
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import claim_name, metadata_of

_FACTORS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate(("k", "M", "G", "T", "P"), 1)},
    **{letter: Decimal(1024) ** power for power, letter in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)},
}


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


def amount(quantity: str) -> Decimal:
    """Return a Kubernetes quantity as a number of its base unit (bytes).

    Raises:
        ValueError: It is no quantity.

    >>> amount("1Ti") == amount("1024Gi"), amount("500M")
    (True, Decimal('500000000'))
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([mkMGTP]|[KMGTP]i)?", quantity)
    if found is None:
        raise ValueError(f"{quantity!r} is no quantity; a number with a unit such as 500Gi is required")
    return Decimal(found.group(1)) * _FACTORS[found.group(2) or ""]
