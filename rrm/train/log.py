"""The job log: every line of the child goes to the volume and on, with secrets masked; its end is kept."""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Final, TypeVar

from rrm_api.run import LOG_TAIL_CHARS, SECRET_VARIABLES_ENV
from rrm_api.spec_pods import SECRET_NAME

T = TypeVar("T")
LOG = logging.getLogger(__name__)
MASK: Final = "***"
_SHORTEST_SECRET: Final = 6
_SHAPES: Final = re.compile(
    r"\b(hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{8,}|(?<=Bearer )[A-Za-z0-9._~+/=-]{8,})"
    r"|(?<=://)[^/\s?#]+(?=@)"  # who a URL logs in as, and by which password
)
_TAIL_LINES: Final = 200


class Masker:
    """Replaces secrets: values of variables that come from Secrets or are called so, and tokens by shape."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        told = environ.get(SECRET_VARIABLES_ENV, "").split(",")
        secrets = (value for name, value in environ.items() if name in told or re.search(SECRET_NAME, name))
        # Line by line, as logs come: a key has several, and a value from a file often ends with a break.
        values = {line.strip() for secret in secrets for line in secret.splitlines()}
        # The longest first: a secret may be part of another one.
        self._values = sorted((v for v in values if len(v) >= _SHORTEST_SECRET), key=len, reverse=True)

    def mask(self, line: str) -> str:
        """Return the line without secrets.

        >>> Masker({"WANDB_API_KEY": "0123abcd"}).mask("key 0123abcd, hf_AbCdEf0123")
        'key ***, ***'
        >>> Masker({}).mask("https://user:password@host/x")
        'https://***@host/x'
        """
        for value in self._values:
            line = line.replace(value, MASK)
        return _SHAPES.sub(MASK, line)


class JobLog:
    """Copies lines to a file and a listener, and remembers the last ones."""

    def __init__(self, path: Path, masker: Masker, echo: Callable[[str], object] | None) -> None:
        self._path = path
        self._masker = masker
        self._echo = echo
        self._last: deque[str] = deque(maxlen=_TAIL_LINES)
        self._has_warned = False

    def copy(self, lines: Iterable[str]) -> None:
        """Copy until the lines end; they keep their line breaks.

        A full or absent volume, or an echo that is gone, stops no reading: who writes the lines would wait
        for ever on a full pipe.
        """
        try:
            # Unbuffered: what a full disk refused would be tried, and fail, once more when it is closed.
            file = self._path.open("ab", buffering=0)
        except OSError as error:
            self._warn(error)
            file = None
        with file or nullcontext():
            for line in lines:
                masked = self._masker.mask(line)
                self._last.append(masked)
                if file is not None:
                    self._offer(file.write, masked.encode())
                if self._echo is not None:
                    self._offer(self._echo, masked)

    def _offer(self, take: Callable[[T], object], line: T) -> None:
        try:
            take(line)
        except (OSError, ValueError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        if not self._has_warned:
            LOG.warning("lines of %s are lost: %s", self._path, error)
        self._has_warned = True

    def tail(self) -> str:
        """Return the last lines, as many whole ones as fit into a record."""
        return tail_of("".join(self._last))


def tail_of(text: str, limit: int = LOG_TAIL_CHARS) -> str:
    r"""Return the end of a log, cut at a line break, at most `limit` characters.

    >>> tail_of("one\ntwo\nthree\n", limit=10)
    'two\nthree\n'
    """
    if len(text) <= limit:
        return text
    cut = text[-limit:]
    if text[-limit - 1] == "\n":
        return cut
    _, line_break, rest = cut.partition("\n")
    return rest if line_break and rest else cut
