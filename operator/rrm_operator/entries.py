"""What the store keeps of a training: blocks of bytes, unpacked for each look.

As objects, the facts of one training are some sixty small strings. They lie where their events were read,
scattered among what is thrown away, and pages that hold one cannot be given back: packed, a thousand
trainings take a fifth less memory.
"""

import pickle
from dataclasses import dataclass, field
from typing import Final

from rrm_operator.facts import Key, Kind, ProgressFact
from rrm_operator.facts_from import ChildFact

_NO_PROGRESS: Final = pickle.dumps(ProgressFact(), pickle.HIGHEST_PROTOCOL)


@dataclass(frozen=True, slots=True)
class Child:
    """One object of a training."""

    packed: bytes
    order: int
    """Number of the event that told of it last."""

    @classmethod
    def of(cls, uid: str, fact: ChildFact | None, order: int) -> "Child":
        """Pack what is known of an object; no fact = it carries our label, but is none of our children."""
        return cls(pickle.dumps((uid, fact), pickle.HIGHEST_PROTOCOL), order)

    @property
    def uid(self) -> str:
        """Which of all that had its name it is."""
        return self._told[0]

    @property
    def fact(self) -> ChildFact | None:
        """What is known of it."""
        return self._told[1]

    def says_the_same(self, other: "Child | None") -> bool:
        """Return whether another one tells of the same object, and nothing new."""
        return other is not None and (self.packed == other.packed or self._told == other._told)

    @property
    def _told(self) -> tuple[str, ChildFact | None]:
        told: tuple[str, ChildFact | None] = pickle.loads(self.packed)
        return told


@dataclass(slots=True)
class Entry:
    """One training, its objects, and what its trainer has said."""

    key: Key
    """The one that every child refers to: equal ones would be kept beside it."""
    exists: bool = False
    """Whether the training does; its children may have come before it, and may outlive it."""
    body: bytes | None = None
    """The training as compressed JSON: a tenth of what its dictionaries take. None: nothing else is known."""
    uid: str = ""
    words: int = 0
    """Hash of what a person last said: spec, annotations, deletion."""
    answers: int = 0
    """Hash of what the trainer last said."""
    order: int = 0
    children: dict[tuple[Kind, str], Child] = field(default_factory=dict)
    _progress: bytes = _NO_PROGRESS

    @property
    def progress(self) -> ProgressFact:
        """What the trainer has written."""
        progress: ProgressFact = pickle.loads(self._progress)
        return progress

    @progress.setter
    def progress(self, progress: ProgressFact) -> None:
        self._progress = pickle.dumps(progress, pickle.HIGHEST_PROTOCOL)

    def is_empty(self) -> bool:
        """Return whether nothing is known of it any more."""
        return not self.exists and not self.children
