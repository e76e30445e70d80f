"""The one place where everything is caught: code of the user, called so that its faults are values.

A fault of a plug-in must neither end a training of many GPUs nor lose a row in silence; whoever calls decides
what a `Raised` means there.
"""

import sys
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")
_NOT_OF_THE_USER: Final = tuple(
    Path(folder).resolve()
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), Path(__file__).parents[1])
)
"""Frames below these folders are libraries' and ours: the user's own line says more."""
_MAX_CHARS: Final = 500


@dataclass(frozen=True)
class Raised:
    """What code of the user raised.

    Attributes:
        said: The last line of its traceback: class and message, shortened.
        where: `file:line` of the innermost line of the user's own; empty if there is none.
    """

    said: str
    where: str

    def __str__(self) -> str:
        return f"{self.said} ({self.where})" if self.where else self.said


def contained(call: Callable[[], T]) -> T | Raised:
    """Return what a call returns, or what it raised; only the wish to stop (Ctrl-C) passes through.

    >>> contained(lambda: 1 / 2)
    0.5
    >>> contained(lambda: 1 / 0).said
    'ZeroDivisionError: division by zero'
    """
    try:
        return call()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may raise anything
        return _raised(error)


def _raised(error: BaseException) -> Raised:
    (*_, last) = traceback.format_exception_only(error)
    said = " ".join(last.split())
    if isinstance(error, SystemExit):
        said = f"it called exit({error.code!r})"
    return Raised(said[:_MAX_CHARS], _place_of(error))


def _place_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_the_users(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def _is_the_users(filename: str) -> bool:
    if filename.startswith("<") or filename == sys.argv[0]:
        return False
    return not any(Path(filename).resolve().is_relative_to(folder) for folder in _NOT_OF_THE_USER)
