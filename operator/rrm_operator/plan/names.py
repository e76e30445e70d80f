"""Names, labels and owner references of a training's children, all at most 63 characters long.

A training's name has at most 40: `<training>-prepare-<6>` and `<training>-c<k>-<fingerprint>` fit.
"""

from typing import Final

from rrm_api import group
from rrm_api.run import Role
from rrm_api.v1alpha1 import ObjectMeta
from rrm_operator.facts import Manifest

MAX_LENGTH: Final = 63
_DIGEST_LENGTH: Final = 6


def run_name(training: str) -> str:
    """Return the name of the ConfigMap that a run is read from."""
    return f"{training}-run"


def progress_name(training: str) -> str:
    """Return the name of the ConfigMap that the trainer answers in."""
    return f"{training}-progress"


def account_name(training: str) -> str:
    """Return the name of the account, Role and RoleBinding of a training's pods.

    Never the bare name: a training called `default` must not seize the account of that name.
    """
    return f"{training}-trainer"


def claim_name(training: str) -> str:
    """Return the name of the claim we make."""
    return f"{training}-checkpoints"


def job_name(training: str, role: Role, digest: str) -> str:
    """Return the name of a Job; another input is another Job, since templates of Jobs cannot change.

    >>> job_name("judge", Role.PREPARE, "0123456789abcdef")
    'judge-prepare-012345'
    """
    return f"{training}-{role}-{digest[:_DIGEST_LENGTH]}"


def cluster_name(training: str, attempt: int) -> str:
    """Return the name of the RayCluster of an attempt."""
    return f"{training}-c{attempt}"


def token_secret_name(cluster: str, fingerprint: str) -> str:
    """Return the name of the Secret that holds a RayCluster's token."""
    return f"{cluster}-{fingerprint}"


def submission_id(uid: str, attempt: int) -> str:
    """Return the id of a Ray job: the same attempt always has the same.

    >>> submission_id("0a1b2c3d-4e5f-6789", 2)
    '0a1b2c3d-a2'
    """
    return f"{uid[:8]}-a{attempt}"


def labels(training: str, role: str) -> dict[str, str]:
    """Return the labels of a child: by them it is found again."""
    return {
        "app.kubernetes.io/name": "rrm",
        "app.kubernetes.io/instance": training,
        "app.kubernetes.io/component": str(role),
        "app.kubernetes.io/managed-by": "rrm-operator",
        group.LABEL_TRAINING: training,
        group.LABEL_ROLE: str(role),
    }


def metadata_of(owner: ObjectMeta, name: str, role: str, *, owned: bool = True) -> Manifest:
    """Return the metadata of a child; one that is owned goes when the training is deleted."""
    metadata: Manifest = {
        "name": name,
        "namespace": owner.namespace,
        "labels": labels(owner.name, role),
    }
    if owned:
        metadata["ownerReferences"] = [
            {
                "apiVersion": group.API_VERSION,
                "kind": group.KIND,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
    return metadata


def with_annotations(manifest: Manifest, **annotations: str) -> Manifest:
    """Return a copy of a manifest with further annotations; keyword names stand for annotation names."""
    metadata = manifest["metadata"]
    return {
        **manifest,
        "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **annotations}},
    }
