"""What an API server checks of a document against a structural schema, said anew for tests without one.

As in Kubernetes' own validation: `format: date-time` is checked (jsonschema alone leaves it out), integers
have 64 bits, lists of type map have unique keys, `$` is the end of the text, and bounds of texts are asked of
texts alone. A field that is unknown, and would be pruned, is a fault too: nothing of ours shall get lost.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from jsonschema import Draft7Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

Schema = dict[str, Any]

_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_FORMATS = FormatChecker(formats=())


def faults(schema: Schema, document: Any) -> list[str]:
    """Return what the API server would say, each with its field."""
    validator = _Validator(schema, format_checker=_FORMATS)
    return [f"{'.'.join(map(str, it.absolute_path))}: {it.message}" for it in validator.iter_errors(document)]


@_FORMATS.checks("date-time")
def is_date_time(text: object) -> bool:
    """Return whether a text is a moment to the API server: RFC 3339, with a zone."""
    day, _, time = str(text).lower().partition("t")
    found = _TIME.fullmatch(time)
    if found is None or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", day, re.ASCII):
        return False
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return found.group(1) <= "23" and found.group(2) <= "59" and found.group(3) <= "59"


def _is_integer(_: Any, found: object) -> bool:
    if isinstance(found, bool):
        return False
    if isinstance(found, int):
        return -(2**63) <= found < 2**63
    return isinstance(found, float) and found.is_integer() and abs(found) < 2**53


def _pattern(_: Any, pattern: str, found: Any, __: Schema) -> Iterator[ValidationError]:
    if isinstance(found, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), found, re.ASCII):
        yield ValidationError(f"{found!r} should match {pattern!r}")


def _int_or_string(_: Any, is_so: bool, found: Any, __: Schema) -> Iterator[ValidationError]:
    if is_so and not isinstance(found, str) and not _is_integer(None, found):
        yield ValidationError(f"{found!r} is neither integer nor string")


def _map_keys(_: Any, keys: list[str], found: Any, __: Schema) -> Iterator[ValidationError]:
    said = [tuple(str(it.get(key)) for key in keys) for it in found]
    for key in sorted({it for it in said if said.count(it) > 1}):
        yield ValidationError(f"duplicate value {key!r}")


def _properties(validator: Any, members: Schema, found: Any, schema: Schema) -> Iterator[ValidationError]:
    yield from Draft7Validator.VALIDATORS["properties"](validator, members, found, schema)
    if isinstance(found, dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        for name in found.keys() - members.keys():
            yield ValidationError(f"unknown field {name!r}")


_Validator: Any = extend(
    Draft7Validator,
    {
        "pattern": _pattern,
        "properties": _properties,
        "x-kubernetes-int-or-string": _int_or_string,
        "x-kubernetes-list-map-keys": _map_keys,
    },
    type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
