"""The fence before each save: only the newest attempt of the folder's own training may write there."""

from rrm.data.identity import read_owner
from rrm.train.attempt import Attempt, newest_attempt
from rrm.train.errors import TrainerCrashed


def require_current(attempt: Attempt) -> None:
    """Return if the attempt may write checkpoints.

    Raises:
        TrainerCrashed: a later attempt has begun, or another training of this name has taken the folder over.
    """
    owner = read_owner(attempt.layout)
    if owner is not None and owner != attempt.run.intent.uid:
        raise TrainerCrashed(
            f"{attempt.layout.root} belongs to another training of this name now (uid {owner}); attempt "
            f"{attempt.number} of uid {attempt.run.intent.uid} may not write"
        )
    newest = newest_attempt(attempt.layout)
    if newest > attempt.number:
        raise TrainerCrashed(
            f"attempt {newest} has begun on this volume; attempt {attempt.number} may not write"
        )
