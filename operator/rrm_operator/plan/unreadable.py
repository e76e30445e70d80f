"""What goes though the spec cannot be read: what runs goes on, but not for longer than it has to."""

from rrm_api.run import Role
from rrm_api.status import TrainingStatus
from rrm_operator.facts import Kind, Snapshot
from rrm_operator.ports import Ref


def spent_clusters(seen: Snapshot, status: TrainingStatus) -> tuple[Ref, ...]:
    """Return the RayClusters whose attempt has ended, and all where a person has suspended the training.

    Their pods save before they go, as those of a training that is deleted do.
    """
    metadata, spec = seen.manifest["metadata"], seen.manifest.get("spec")
    record, mine = seen.progress.record(Role.TRAIN), seen.progress.owner in ("", metadata["uid"])
    has_ended = record is not None and mine and record.attempt >= (status.attempt or 0)
    is_suspended = isinstance(spec, dict) and spec.get("suspend") is True
    if not (has_ended or is_suspended):
        return ()
    return tuple(
        Ref(Kind.RAY_CLUSTER, metadata["namespace"], it.name, it.uid)
        for it in seen.clusters
        if not it.deleting
    )
