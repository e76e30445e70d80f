"""Errors that end an `rrm` process, named after the boundary they crossed.

Each prints itself (expected, found, where, what to do) and carries the condition reason and the exit code
that the process edge (`rrm.reporting`) turns into the machine-readable record.
"""

from typing import ClassVar

from rrm_api.conditions import Reason
from rrm_api.run import ExitCode


class RrmError(Exception):
    """A fault that a person can act on; never a bug of ours."""

    reason: ClassVar[Reason]
    exit_code: ClassVar[ExitCode]


class DataInvalid(RrmError):
    """The rows are not what their format promises; exit 10."""

    reason = Reason.DATA_INVALID
    exit_code = ExitCode.DATA

    def __init__(self, *, expected: str, found: str, where: str, do: str = "") -> None:
        """Say what was expected, what was found, where (source, file, line), and what to do."""
        self.expected, self.found, self.where, self.do = expected, found, where, do
        super().__init__(f"{where}: expected {expected}, found {found}" + (f"; {do}" if do else ""))


class InvalidSpec(RrmError):
    """The training's own fields do not fit together or do not fit the data; exit 11."""

    reason = Reason.INVALID_SPEC
    exit_code = ExitCode.CONFIGURATION


class VolumeUnavailable(RrmError):
    """A claim that the training names is not mounted here; exit 11."""

    reason = Reason.VOLUME_UNAVAILABLE
    exit_code = ExitCode.CONFIGURATION


class CheckpointMismatch(RrmError):
    """The folder holds checkpoints of another training; exit 11."""

    reason = Reason.CHECKPOINT_MISMATCH
    exit_code = ExitCode.CONFIGURATION


class ModelUnavailable(RrmError):
    """Weights, tokenizer or chat template are not where the training says; exit 12."""

    reason = Reason.MODEL_UNAVAILABLE
    exit_code = ExitCode.MODEL


class HubUnreachable(RrmError):
    """The hub did not answer; trying again may help; exit 20."""

    reason = Reason.PREPARE_FAILED
    exit_code = ExitCode.INFRASTRUCTURE


class PluginFailed(RrmError):
    """A dataset, template or reward of the user is not there, has not its form, or raised; exit 13."""

    reason = Reason.PLUGIN_FAILED
    exit_code = ExitCode.PLUGIN
