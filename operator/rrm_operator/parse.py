"""The second gate: a body becomes a training, or words for the person who wrote it."""

from dataclasses import dataclass

from pydantic import ValidationError

from rrm_api.status import TrainingStatus
from rrm_api.v1alpha1 import RewardModelTraining, parse_training
from rrm_operator.facts import Manifest


@dataclass(frozen=True)
class Unreadable:
    """A training whose spec this operator cannot read."""

    status: TrainingStatus
    message: str
    """Each fault with its field."""


def parse(manifest: Manifest) -> RewardModelTraining | Unreadable:
    """Return the training of a body.

    A status that cannot be read (of another version) counts as deleted: it is only history.
    """
    status = _status(manifest)
    try:
        training = parse_training({key: value for key, value in manifest.items() if key != "status"})
    except ValidationError as error:
        return Unreadable(status, faults(error))
    return training.model_copy(update={"status": status})


def faults(error: ValidationError) -> str:
    """Return all faults of a body in one line, each with its field."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'spec'}: "
        + fault["msg"].removeprefix("Value error, ")
        for fault in error.errors(include_url=False, include_context=False)
    )


def _status(manifest: Manifest) -> TrainingStatus:
    try:
        return TrainingStatus.model_validate(manifest.get("status") or {})
    except ValidationError:
        return TrainingStatus()
