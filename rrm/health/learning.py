"""Not learning: after several evaluations the judge is still within two standard errors of what is free."""

from collections.abc import Sequence
from typing import Final

from rrm.health.alarm import Reading, State

ERRORS: Final = 2
"""As the lift at the end: within two standard errors nothing is claimed."""
DO: Final = (
    "compare with the floors in the report; a floor that stays above means that the labels' prior was found "
    "at most: more or cleaner rows, longer answers, or another label"
)


def no_lift(
    rewards: Sequence[float], *, base: float | None, best_floor: float | None, error: float
) -> Reading:
    """Read the validation rewards so far, of evaluations after step 0.

    Bad: the last is not above the better of base and best floor by more than two standard errors. With
    neither known there is nothing to be above of, and it is well.

    Args:
        rewards: One per evaluation; at least one.
        base: Validation reward of the untrained model.
        best_floor: Validation reward of the best floor.
        error: Standard error of a validation reward.
    """
    rivals = {"the untrained model": base, "the best floor": best_floor}
    known = {name: value for name, value in rivals.items() if value is not None}
    if not known:
        return Reading(State.WELL)
    name = max(known, key=lambda rival: known[rival])
    now, limit = rewards[-1], known[name] + ERRORS * error
    if now > limit:
        return Reading(State.WELL)
    return Reading(
        State.BAD,
        f"no lift yet: validation reward {now:.3f} is not above {limit:.3f}, that is {name} at "
        f"{known[name]:.3f} plus {ERRORS} standard errors; {DO}",
    )
