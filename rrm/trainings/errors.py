"""Why a question about the trainings of a cluster has no answer.

No condition of a training has a word for these, so they carry an exit code and no reason.
"""

from typing import ClassVar

from rrm_api.run import ExitCode


class ClusterError(Exception):
    """A fault that a person can act on."""

    exit_code: ClassVar[ExitCode]


class WrongQuestion(ClusterError):
    """What was asked for is not there, or cannot be done; exit 11."""

    exit_code = ExitCode.CONFIGURATION


class NoSuchTraining(WrongQuestion):
    """The namespace has no training of that name; exit 11."""


class NothingToRetry(WrongQuestion):
    """The training has not failed, or nothing can bring it back; exit 11."""


class ClientMissing(WrongQuestion):
    """The Kubernetes client is not installed; exit 11."""


class ClusterUnavailable(ClusterError):
    """There is no cluster, it does not answer, or it refuses; exit 20."""

    exit_code = ExitCode.INFRASTRUCTURE
