"""Reading the fields of a raw row: each function returns a checked value or refuses the row.

Nothing here assumes that a row was ever checked: a value may be of any type that JSON or parquet knows.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard, TypeVar

from rrm.datasets.build import Turn, user
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import Speaker
from rrm.scales import Scale

Row = Mapping[str, Any]
"""A raw row: columns by name, of any type that JSON or parquet knows."""
T = TypeVar("T")
MISSING_COLUMN: Final = "missing column"
WRONG_TYPE: Final = "wrong type"
BETWEEN: Final = "label between two scores"
OUT_OF_RANGE: Final = "label out of range"
NOT_A_NUMBER: Final = "label is not a number"
_SPEAKERS: Final = tuple(str(speaker) for speaker in Speaker)


def require_columns(row: Any, names: Sequence[str]) -> None:
    """Return if the row is a record that has all columns.

    Raises:
        RowRefused: If it is no record or a column is not there.
    """
    if not isinstance(row, Mapping):
        raise RowRefused("not a record", expected="a record of columns", found=shown(row))
    missing = [name for name in names if name not in row]
    if missing:
        raise RowRefused(
            MISSING_COLUMN,
            expected=f"the columns {', '.join(sorted(names))}",
            found=f"no {', '.join(sorted(missing))}",
        )


def text(row: Row, name: str) -> str:
    """Return a column that holds some text."""
    return as_text(row[name], name)


def as_text(value: Any, name: str) -> str:
    """Return a value that is some text; `name` says in messages what it is.

    Raises:
        RowRefused: If it is no string, blank, or holds half a surrogate pair.
    """
    if not isinstance(value, str):
        raise RowRefused(f"{name} is not text", expected=f"{name}: a string", found=shown(value))
    if not value or value.isspace():
        raise RowRefused(f"empty {name}", expected=f"{name}: some text", found=shown(value))
    return _as_unicode(value, name)


def optional_text(row: Row, name: str) -> str | None:
    """Return a column that may hold text; None if it is absent, null or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RowRefused(f"{name} is not text", expected=f"{name}: a string or nothing", found=shown(value))
    return _as_unicode(value, name)


def identifier(row: Row, name: str) -> str:
    """Return a column that names the row: some text or a whole number."""
    value = row[name]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64:
        return str(value)
    return as_text(value, name)


def items(value: Any, name: str, *, least: int = 1) -> list[Any]:
    """Return a list of at least `least` items."""
    if not isinstance(value, list | tuple) or len(value) < least:
        expected = f"{name}: a list" if least == 0 else f"{name}: a list of {least} or more"
        raise RowRefused(WRONG_TYPE, expected=expected, found=shown(value))
    return list(value)


def texts(value: Any, name: str) -> list[str]:
    """Return a list of texts."""
    return [as_text(item, name) for item in items(value, name)]


def record(value: Any, name: str, keys: Sequence[str]) -> Row:
    """Return a record that has all keys."""
    if not isinstance(value, Mapping) or any(key not in value for key in keys):
        raise RowRefused(WRONG_TYPE, expected=f"{name}: a record of {', '.join(keys)}", found=shown(value))
    return value


def choice(value: Any, name: str, options: Iterable[tuple[Any, T]]) -> T:
    """Return what a value of a closed list means; True is not 1 here, and 1.0 is not 1."""
    pairs = list(options)
    for key, meaning in pairs:
        if type(value) is type(key) and value == key:
            return meaning
    known = ", ".join(str(key) for key, _ in pairs)
    raise RowRefused(f"unknown {name}", expected=f"{name}: one of {known}", found=shown(value))


def whole(value: Any, name: str, scale: Scale) -> int:
    """Return a whole number of a scale; a float may stand for one.

    Raises:
        RowRefused: If it is no number, lies between two, or off the scale.

    >>> whole(3.0, "helpfulness", Scale(0, 4))
    3
    """
    expected = f"{name}: a whole number from {scale.low} to {scale.high}"
    if not is_number(value):
        raise RowRefused(NOT_A_NUMBER, expected=expected, found=shown(value))
    if isinstance(value, float) and not value.is_integer():
        raise RowRefused(BETWEEN, expected=expected, found=shown(value))
    if value not in scale:
        raise RowRefused(OUT_OF_RANGE, expected=expected, found=shown(value))
    return int(value)


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a finite number; True and False are none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def conversation(value: Any, name: str) -> list[Turn]:
    """Return a conversation: a text, a message, or a list of messages of which one at least says something.

    Raises:
        RowRefused: If it is none of these, or somebody unknown speaks.
    """
    if isinstance(value, str):
        return user(as_text(value, name))
    turns = [_turn(turn, name) for turn in ([value] if isinstance(value, Mapping) else items(value, name))]
    if not any(turn["content"].strip() for turn in turns):
        raise RowRefused(f"empty {name}", expected=f"{name}: some text", found=shown(value))
    return turns


def _turn(turn: Any, name: str) -> Turn:
    fields = record(turn, name, ("role", "content"))
    role, content = fields["role"], fields["content"]
    require_speaker(role)
    if not isinstance(content, str):
        raise RowRefused(f"{name} is not text", expected=f"{name}: content is a string", found=shown(content))
    return {"role": role, "content": _as_unicode(content, name)}


def require_speaker(role: Any) -> None:
    """Return if a role is a known one.

    Raises:
        RowRefused: If it is none.
    """
    if not isinstance(role, str) or role not in _SPEAKERS:
        raise RowRefused("unknown role", expected=f"role: one of {', '.join(_SPEAKERS)}", found=shown(role))


def _as_unicode(value: str, name: str) -> str:
    # Most texts are ASCII, which a string knows of itself; only the others are encoded to find out.
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RowRefused(
                f"{name} is not Unicode", expected=f"{name}: valid Unicode", found="half a surrogate pair"
            ) from None
    return value
