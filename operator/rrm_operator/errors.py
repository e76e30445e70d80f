"""Errors named after the boundary they crossed; `handlers` alone decides what is tried again and when."""


class OperatorError(Exception):
    """Base of all errors the operator raises on purpose."""


class ClusterUnavailable(OperatorError):
    """The API server did not answer, or answered 429 or 5xx: try again later, change no status."""


class Conflict(OperatorError):
    """The object changed meanwhile (409) or vanished (404): look again."""


class Forbidden(OperatorError):
    """The API server refused the right (403); in a terminating namespace the key is forgotten."""

    def __init__(self, message: str, *, terminating: bool) -> None:
        super().__init__(message)
        self.terminating = terminating


class Refused(OperatorError):
    """The API server found the object itself invalid (400, 422): a person must act."""


class RayUnavailable(OperatorError):
    """The Ray job API did not answer; says nothing about the job."""
