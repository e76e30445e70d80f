"""Whether the volume that data was prepared on is still there."""

from rrm_api.run import Role
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Snapshot


def has_lost_volume(training: RewardModelTraining, snapshot: Snapshot) -> bool:
    """Return whether a claim of ours is gone, or going, with all that a prepare Job has written to it."""
    is_ours = training.spec.checkpoints.volume.claim_name is None
    is_there = snapshot.claim is not None and not snapshot.claim.deleting
    has_prepared = any(it.role is Role.PREPARE and it.finished_time for it in snapshot.jobs)
    return is_ours and not is_there and has_prepared
