"""What can go wrong between the operator and the rest: to one call, or to all of them for a while."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rrm_operator.errors import (
    ClusterUnavailable,
    Conflict,
    Forbidden,
    OperatorError,
    RayUnavailable,
    Refused,
)

from .timeline import Timeline

CALL_SECONDS = 0.02
"""How long a call takes: so much can happen in between."""


class Fault(StrEnum):
    """What happens to one call."""

    CRASH_BEFORE = "the operator dies before the call"
    CRASH_AFTER = "the operator dies after the call"
    UNAVAILABLE = "the call is answered with 503"
    ANSWER_LOST = "the call is carried out, its answer is lost"
    CONFLICT = "the call is answered with 409"
    FORBIDDEN = "the call is answered with 403"
    REFUSED = "the call is answered with 422"
    SLOW = "the call takes 8 s"


class Crash(BaseException):
    """The operator's process ends here and now; nothing of it may catch this."""


_UNDONE: Mapping[Fault, Callable[[str], OperatorError]] = {
    Fault.UNAVAILABLE: lambda name: ClusterUnavailable(f"{name}: HTTP 503"),
    Fault.CONFLICT: lambda name: Conflict(f"{name}: HTTP 409"),
    Fault.FORBIDDEN: lambda name: Forbidden(f"{name}: HTTP 403: no such right", terminating=False),
    Fault.REFUSED: lambda name: Refused(f"{name}: HTTP 422: spec.template: unsupported value"),
}


@dataclass
class Wire:
    """Carries every call of the operator, unless something happens to it."""

    timeline: Timeline
    calls: int = 0
    planned: dict[int, Fault] = field(default_factory=dict)
    api_server_back_at: float = 0.0
    ray_back_at: float = 0.0
    disturb: Callable[[], None] = lambda: None
    """Told whenever something went wrong."""

    def plan(self, fault: Fault, *, calls: int) -> None:
        """Let a fault meet the call that comes after so many others."""
        self.planned[self.calls + calls] = fault

    def heal(self) -> None:
        """Let nothing more go wrong."""
        self.planned.clear()
        self.api_server_back_at = self.ray_back_at = 0.0

    def carry(self, name: str, act: Callable[[], None], *, ray: bool = False) -> None:
        """Carry one call out; raises what its caller would see."""
        fault = self.planned.pop(self.calls, None)
        self.calls += 1
        timeline = self.timeline
        timeline.advance(8.0 if fault is Fault.SLOW else CALL_SECONDS)
        if fault is not None:
            timeline.tell(f"! {name}: {fault}")
            self.disturb()
        if fault is Fault.CRASH_BEFORE:
            raise Crash(name)
        if timeline.now < (self.ray_back_at if ray else self.api_server_back_at):
            self.disturb()
            raise RayUnavailable("no answer") if ray else ClusterUnavailable("no answer")
        if fault is not None and fault in _UNDONE:
            if ray:
                raise RayUnavailable("HTTP 503")
            raise _UNDONE[fault](name)
        act()
        if fault is Fault.CRASH_AFTER:
            raise Crash(name)
        if fault is Fault.ANSWER_LOST:
            raise RayUnavailable("the answer was lost") if ray else ClusterUnavailable("timeout")
