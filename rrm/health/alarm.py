"""An alarm that does not flap: raised after several bad readings in a row, cleared after several good ones.

well ----------- WELL: silent, counts towards clearing
  . . . . . . .  BETWEEN: neither; what is raised stays raised
bad  ----------- BAD: counts towards raising
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """What one reading says."""

    BAD = "Bad"
    BETWEEN = "Between"
    WELL = "Well"


@dataclass(frozen=True)
class Reading:
    """One look at a metric.

    Attributes:
        state: What it says.
        message: What was found against which threshold, for people; without the "since when".
    """

    state: State
    message: str = ""


@dataclass(frozen=True)
class Alarm:
    """Memory of one detector; a new one is silent.

    Attributes:
        raise_after: Bad readings in a row that raise it.
        clear_after: Good readings in a row that clear it.
        bad: Bad readings in a row so far.
        well: Good readings in a row so far.
        since: Step of the first bad reading of the row that raised it, or may yet.
        message: That of the reading which raised it; None = silent.
    """

    raise_after: int
    clear_after: int
    bad: int = 0
    well: int = 0
    since: int = 0
    message: str | None = None

    def hear(self, reading: Reading, step: int) -> "Alarm":
        """Return the alarm after a reading.

        >>> alarm = Alarm(raise_after=2, clear_after=1)
        >>> alarm = alarm.hear(Reading(State.BAD, "low"), 5).hear(Reading(State.BAD, "low"), 6)
        >>> alarm.message, alarm.since, alarm.hear(Reading(State.WELL), 7).message
        ('low', 5, None)
        """
        bad = self.bad + 1 if reading.state is State.BAD else 0
        well = self.well + 1 if reading.state is State.WELL else 0
        message, since = self.message, self.since
        if message is None:
            since = step if bad == 1 else since
            message = reading.message if bad >= self.raise_after else None
        elif well >= self.clear_after:
            message = None
        return replace(self, bad=bad, well=well, since=since, message=message)
