"""What a look at a training found: where it is and why."""

from dataclasses import dataclass

from rrm_api.conditions import Reason, Stage


@dataclass(frozen=True)
class Standing:
    """Where a training is and why, in one word and one sentence."""

    stage: Stage
    reason: Reason
    message: str
