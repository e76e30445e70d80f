"""Where the starting weights lie: on a claim, or as a copy of the hub's pinned commit on the volume.

The copy is made once, by the driver: every node then reads the same bytes, and no node needs the hub.
"""

import shutil
from pathlib import Path

from rrm.data.hub import download_model
from rrm.errors import ModelUnavailable
from rrm.train.attempt import Attempt


def weights_folder(attempt: Attempt) -> Path:
    """Return the folder of the starting weights, whether or not it is filled yet."""
    intent = attempt.run.intent
    if volume := intent.model.volume:
        return attempt.claims / volume.claim_name / volume.path
    return attempt.layout.root / "model" / (attempt.run.prepared.model_revision or "main")


def provide_weights(attempt: Attempt) -> None:
    """See that the weights are there before eleven processes look for them; fetch a hub's model once.

    Raises:
        ModelUnavailable: the claim has no model there, or the hub has not the pinned commit.
        HubUnreachable: the hub does not answer.
    """
    folder, model = weights_folder(attempt), attempt.run.intent.model
    if (folder / "config.json").is_file():
        return
    if model.volume is not None:
        raise ModelUnavailable(
            f"spec.model.volume: expected a model folder with config.json at {folder}, found none; put the "
            "weights there or correct claimName and path"
        )
    partial = folder.with_name(f"{folder.name}.partial")
    download_model(model.name, revision=attempt.run.prepared.model_revision, folder=partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
