"""Why an attempt ended badly, each with the exit code that the operator's classes of failure follow from."""

from rrm.errors import RrmError
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode


class TrainingRefused(RrmError):
    """The trainer's own configuration check says no; exit 11."""

    reason = Reason.INVALID_SPEC
    exit_code = ExitCode.CONFIGURATION


class Unhealthy(RrmError):
    """The run goes on but teaches nothing; exit 14."""

    reason = Reason.TRAINING_FAILED
    exit_code = ExitCode.UNHEALTHY


class TrainerCrashed(RrmError):
    """A process of the trainer died or Ray lost it; exit 20."""

    reason = Reason.TRAINING_FAILED
    exit_code = ExitCode.INFRASTRUCTURE


class RunFileMissing(RrmError):
    """The run file of this attempt did not appear in time; exit 20."""

    reason = Reason.TRAINING_FAILED
    exit_code = ExitCode.INFRASTRUCTURE
