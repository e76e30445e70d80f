"""Log lines with fields: JSON for machines, text for people. Set up once by the composition root.

No line shows a credential, or the value of an environment variable of a training: API servers echo what they
refuse, and HTTP clients print the headers they sent. So every text is masked where it leaves the process.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from rrm_operator.credentials import MASKED, without_credentials
from rrm_operator.facts import Key, Manifest
from rrm_operator.settings import LogFormat

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
NAME: Final = "training_name"
"""Field that lines show as `name`, which Python's own records have already taken."""
_REFUSED_VALUE: Final = re.compile(r'((?:Invalid|Duplicate) value: )(?:"(?:[^"\\]|\\.)*"|\{.*?\}(?=: |$))')
_SHORTEST_VALUE: Final = 8
"""Shorter values, such as `true` or `WARNING`, tell nothing, and to mask them would spoil other words."""
_CHATTY: Final = ("kopf", "aiohttp.access", "asyncio")
_SIGNALS: Final = "kopf._core.reactor.running"
"""Warns at each start that it leaves the signals to us."""


class Masks:
    """Values of environment variables that no log line may show."""

    def __init__(self) -> None:
        self._values: dict[Key, frozenset[str]] = {}
        self._longest_first: tuple[str, ...] = ()
        """Of all trainings, as one value may be part of another; replaced whole: kopf's thread logs too."""
        self._generations: dict[Key, tuple[object, object]] = {}

    def keep(self, key: Key, manifest: Manifest) -> None:
        """Mask from now on what the spec of a training holds; a spec that was seen is not read again."""
        metadata = manifest["metadata"]
        generation = (metadata.get("uid"), metadata.get("generation"))
        if self._generations.get(key) != generation:
            self._generations[key] = generation
            values = env_values(manifest.get("spec"))
            self._set(key, frozenset(it for it in values if len(it) >= _SHORTEST_VALUE))

    def forget(self, key: Key) -> None:
        """Forget a training that is gone."""
        self._set(key, frozenset())
        self._generations.pop(key, None)

    def masked(self, text: str) -> str:
        """Return a text without credentials and without the values."""
        text = _REFUSED_VALUE.sub(rf"\1{MASKED}", without_credentials(text))
        for value in self._longest_first:
            text = text.replace(value, MASKED)
        return text

    def _set(self, key: Key, values: frozenset[str]) -> None:
        before = self._values.pop(key, frozenset())
        if values:
            self._values[key] = values
        if values != before:
            everything = frozenset[str]().union(*self._values.values())
            self._longest_first = tuple(sorted(everything, key=len, reverse=True))


def env_values(spec: Any) -> Iterator[str]:
    """Yield the plain values of all environment variables in a spec, at any depth.

    >>> list(env_values({"jobs": {"containers": [{"env": [{"name": "A", "value": "1"}, {"name": "B"}]}]}}))
    ['1']
    """
    inside = [spec]
    while inside:
        part = inside.pop()
        if isinstance(part, list):
            inside += part
        elif isinstance(part, dict):
            env = part.get("env")
            if isinstance(env, list):
                yield from (str(it["value"]) for it in env if isinstance(it, dict) and "value" in it)
            inside += [it for key, it in part.items() if key != "env" or not isinstance(it, list)]


def fields_of(record: logging.LogRecord, masks: Masks) -> dict[str, object]:
    """Return what was given as `extra`, masked."""
    given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return {
        "name" if key == NAME else key: value
        if isinstance(value, int | float | None)
        else masks.masked(str(value))
        for key, value in given.items()
    }


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the fields."""

    def __init__(self, masks: Masks | None = None) -> None:
        super().__init__()
        self._masks = masks or Masks()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._masks.masked(record.getMessage()),
            **fields_of(record, self._masks),
        }
        if record.exc_info:
            line["traceback"] = self._masks.masked(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """`time level message key=value ...`."""

    def __init__(self, masks: Masks | None = None) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self._masks = masks or Masks()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with its traceback."""
        return self._masks.masked(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
        """Return the line of a record."""
        fields = " ".join(f"{key}={value}" for key, value in fields_of(record, self._masks).items())
        return f"{super().formatMessage(record)} {fields}".rstrip()


def set_up_logging(level: str, line_format: LogFormat, masks: Masks) -> None:
    """Write log lines to the standard error stream; libraries only from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(masks) if line_format is LogFormat.JSON else TextLines(masks))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger(_SIGNALS).setLevel(logging.ERROR)
