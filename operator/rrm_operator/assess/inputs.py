"""What a spec asks of each process, as digests: whether something was made for the spec of now.

A Job or a RayCluster carries the digest it was made for; comparing it with these is how an edit is noticed.
Only what is chosen goes into them: fields that only a later operator knows, at their defaults, and defaults
that somebody writes out must not replace anything that runs.
"""

from typing import Any, Final

from rrm_api.run import digest_of, fingerprint, intent_of
from rrm_api.v1alpha1 import RewardModelTraining

_EVERY_POD: Final = (
    ("env",),
    ("serviceAccountName",),
    ("image",),
    ("imagePullPolicy",),
    ("imagePullSecrets",),
    ("checkpoints", "volume", "claimName"),
)
"""What of a spec shapes every pod. The operator's own defaults are left out on purpose: an operator that
comes back with others must not replace anything that runs."""
_RAY_PODS: Final = (
    *_EVERY_POD,
    ("workers",),
    ("head",),
    ("scheduling",),
    ("policy", "onDrain"),
    ("checkpoints", "saveGraceSeconds"),
)
_JOB_PODS: Final = (*_EVERY_POD, ("jobs",))


def shape_of(training: RewardModelTraining) -> str:
    """Return the digest of all that shapes the Ray pods or the run of an attempt."""
    return digest_of({"intent": _intent_of(training), "pods": _chosen(training, _RAY_PODS)})


def identity_of(training: RewardModelTraining) -> str:
    """Return the digest of what rows and checkpoints depend on: an attempt for another one is useless."""
    return digest_of(fingerprint(intent_of(training)))


def prepare_input_of(training: RewardModelTraining) -> str:
    """Return the digest of what a prepare Job is made for."""
    return digest_of({"intent": _intent_of(training), "pods": _chosen(training, _JOB_PODS)})


def export_input_of(training: RewardModelTraining, *, attempt: int, run_digest: str) -> str:
    """Return the digest of what an export Job is made for: a finished attempt and a way to export it."""
    made_for = {"attempt": attempt, "run": run_digest}
    return digest_of({**made_for, **_chosen(training, (("export",),)), "pods": _chosen(training, _JOB_PODS)})


def _intent_of(training: RewardModelTraining) -> dict[str, Any]:
    return intent_of(training).manifest(with_defaults=False)


def _chosen(training: RewardModelTraining, paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """Return the parts of a spec that are not at their defaults, by path."""
    spec = training.spec.manifest(with_defaults=False)
    found = {".".join(path): _at(spec, path) for path in paths}
    return {path: value for path, value in found.items() if value is not None}


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document
