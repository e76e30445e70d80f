"""Reads parts of manifests: what is absent, or of another shape than its kind's, is empty.

Absent parts are normal, a status comes later than its object; other versions of a kind may say anything.
"""

from typing import Any

from rrm_api import group
from rrm_operator.facts import Manifest


def map_at(manifest: Manifest, *path: str) -> dict[str, Any]:
    """Return the map at a path."""
    found: Any = manifest
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def maps_at(manifest: Manifest, key: str) -> list[Manifest]:
    """Return the maps in the list under a key."""
    found = manifest.get(key)
    return [it for it in found if isinstance(it, dict)] if isinstance(found, list) else []


def count_of(found: Any) -> int:
    """Return a count; 0 for anything else."""
    return max(0, found) if isinstance(found, int) else 0


def text_of(found: Any) -> str | None:
    """Return a text of at most 253 characters; None for anything else."""
    return found[:253] if isinstance(found, str) and found else None


def metadata_of(manifest: Manifest) -> Manifest:
    """Return the metadata."""
    return map_at(manifest, "metadata")


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Return the labels."""
    return map_at(metadata_of(manifest), "labels")


def annotation_of(manifest: Manifest, name: str) -> str | None:
    """Return an annotation, None without it."""
    return map_at(metadata_of(manifest), "annotations").get(name)


def training_of(manifest: Manifest) -> str | None:
    """Return the name of the training that a child's label names."""
    return labels_of(manifest).get(group.LABEL_TRAINING)


def is_deleting(manifest: Manifest) -> bool:
    """Return whether an object is being deleted."""
    return metadata_of(manifest).get("deletionTimestamp") is not None


def controller_of(manifest: Manifest) -> Manifest:
    """Return the reference to the controller that owns an object; empty without one."""
    owners = maps_at(metadata_of(manifest), "ownerReferences")
    return next((it for it in owners if it.get("controller")), {})


def conditions_of(manifest: Manifest) -> dict[str, Manifest]:
    """Return the conditions by type."""
    found = maps_at(map_at(manifest, "status"), "conditions")
    return {it["type"]: it for it in found if isinstance(it.get("type"), str)}


def holds(condition: Manifest) -> bool:
    """Return whether a condition is True."""
    return condition.get("status") == "True"
