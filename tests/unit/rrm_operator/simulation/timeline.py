"""What happens when: one clock, one list of happenings to come, and the story of what happened."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

START = 1_700_000_000.0
_STORY_LINES = 400

Happening = Callable[[], None]


@dataclass
class Timeline:
    """The world's clock. Happenings run in the order of their times, then in the order they were planned."""

    now: float = START
    happened: int = 0
    story: list[tuple[float, str]] = field(default_factory=list)
    keeps_all: bool = False
    _to_come: list[tuple[float, int, Happening]] = field(default_factory=list)
    _planned: int = 0

    def after(self, seconds: float, happening: Happening) -> None:
        """Plan something for later."""
        self._planned += 1
        heapq.heappush(self._to_come, (self.now + max(0.0, seconds), self._planned, happening))

    @property
    def next_at(self) -> float:
        """When the next thing happens, infinity = never."""
        return self._to_come[0][0] if self._to_come else float("inf")

    def advance(self, seconds: float) -> None:
        """Let time pass, and all happen that is due in it."""
        self.run_until(self.now + seconds)

    def run_until(self, moment: float) -> None:
        """Let time pass up to a moment."""
        while self._to_come and self._to_come[0][0] <= moment:
            at, _, happening = heapq.heappop(self._to_come)
            self.now = max(self.now, at)
            self.happened += 1
            happening()
        self.now = max(self.now, moment)

    def tell(self, words: str) -> None:
        """Add a line to the story."""
        if not self.keeps_all and len(self.story) >= 2 * _STORY_LINES:
            del self.story[:_STORY_LINES]
        self.story.append((self.now, words))

    def text(self, lines: int = 120) -> str:
        """Return the last lines of the story, each with the seconds since the start."""
        told = self.story[-lines:]
        before = [f"  ... {len(self.story) - len(told)} earlier lines"] if len(self.story) > len(told) else []
        return "\n".join([*before, *(f"  {at - START:9.2f} s  {words}" for at, words in told)])
