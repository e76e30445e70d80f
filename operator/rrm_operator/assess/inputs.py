"""What a spec asks of each process, as digests: whether something was made for the spec of now.

A Job or a RayCluster carries the digest it was made for; comparing it with these is how an edit is noticed.
"""

from typing import Any

from rrm_api.run import digest_of, fingerprint, intent_of
from rrm_api.v1alpha1 import RewardModelTraining


def shape_of(training: RewardModelTraining) -> str:
    """Return the digest of all that shapes the Ray pods or the run of an attempt."""
    spec = training.spec
    pods = {
        **_pods_of(training),
        "workers": spec.workers.manifest(),
        "head": spec.head.manifest(),
        "scheduling": spec.scheduling.manifest(),
        "onDrain": spec.policy.on_drain,
        "saveGraceSeconds": spec.checkpoints.save_grace_seconds,
    }
    return digest_of({"intent": intent_of(training).manifest(), "pods": pods})


def identity_of(training: RewardModelTraining) -> str:
    """Return the digest of what rows and checkpoints depend on: an attempt for another one is useless."""
    return digest_of(fingerprint(intent_of(training)))


def prepare_input_of(training: RewardModelTraining) -> str:
    """Return the digest of what a prepare Job is made for."""
    return digest_of({"intent": intent_of(training).manifest(), "pods": _job_pods_of(training)})


def export_input_of(training: RewardModelTraining, *, attempt: int, run_digest: str) -> str:
    """Return the digest of what an export Job is made for: a finished attempt and a way to export it."""
    return digest_of(
        {
            "attempt": attempt,
            "run": run_digest,
            "export": training.spec.export.manifest(),
            "pods": _job_pods_of(training),
        }
    )


def _job_pods_of(training: RewardModelTraining) -> dict[str, Any]:
    return {**_pods_of(training), "jobs": training.spec.jobs.manifest()}


def _pods_of(training: RewardModelTraining) -> dict[str, Any]:
    """Return what shapes every pod; the operator's own defaults are left out on purpose.

    An operator that comes back with other defaults must not replace anything that runs.
    """
    spec = training.spec
    return {
        "env": [it.manifest() for it in spec.env],
        "serviceAccountName": spec.service_account_name,
        "image": spec.image,
        "imagePullPolicy": spec.image_pull_policy,
        "imagePullSecrets": [it.manifest() for it in spec.image_pull_secrets],
        "claimName": spec.checkpoints.volume.claim_name,
    }
