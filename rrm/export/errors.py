"""Why nothing could be exported."""

from rrm.errors import RrmError
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode


class NoCheckpoint(RrmError):
    """There is no whole checkpoint to export; exit 20, for the training may still write one."""

    reason = Reason.NO_CHECKPOINT
    exit_code = ExitCode.INFRASTRUCTURE


class MergeFailed(RrmError):
    """verl's merger ended badly; exit 20."""

    reason = Reason.EXPORT_FAILED
    exit_code = ExitCode.INFRASTRUCTURE
