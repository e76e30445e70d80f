"""Why an attempt ended badly, each with the exit code that the operator's classes of failure follow from."""

from rrm.errors import RrmError
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode


class TrainingRefused(RrmError):
    """The trainer's own configuration check says no; exit 11."""

    reason = Reason.INVALID_SPEC
    exit_code = ExitCode.CONFIGURATION


class Unhealthy(RrmError):
    """The run goes on but gets worse or teaches nothing; exit 14."""

    exit_code = ExitCode.UNHEALTHY

    def __init__(self, message: str, reason: Reason = Reason.TRAINING_FAILED) -> None:
        """Say what is wrong, and which of the API's reasons it is."""
        super().__init__(message)
        self.reason = reason  # type: ignore[misc]

    def __reduce__(self) -> tuple[type["Unhealthy"], tuple[str, Reason]]:
        """Cross processes whole: an exception's own way forgets the reason."""
        return Unhealthy, (str(self), self.reason)


class TrainerCrashed(RrmError):
    """A process of the trainer died or Ray lost it; exit 20."""

    reason = Reason.TRAINER_CRASHED
    exit_code = ExitCode.INFRASTRUCTURE


class RunFileMissing(RrmError):
    """The run file of this attempt did not appear in time; exit 20."""

    reason = Reason.TRAINER_CRASHED
    exit_code = ExitCode.INFRASTRUCTURE
