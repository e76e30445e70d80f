"""Kubernetes quantities: what one may be, as the API server reads it too, and the number it stands for."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

_NUMBER: Final = r"[0-9]+(\.[0-9]*)?|\.[0-9]+"
_SUFFIX: Final = r"[KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2}"
QUANTITY: Final = rf"^\+?({_NUMBER})({_SUFFIX})?$"
"""The grammar of Kubernetes' `resource.Quantity`, without a minus; exponents end where numbers make sense."""
_INT64: Final = range(-(2**63), 2**63)
_EXACT: Final = 2**53
"""From here on a float may stand for another integer than was written."""

_FACTORS: Final = {
    **{letter: Decimal(1000) ** power for power, letter in enumerate("num", -3)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def _written(value: Any) -> Any:
    """Return a whole number as text, as far as the API server takes it for one."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    return str(value) if type(value) is int and value in _INT64 else value


Quantity = Annotated[
    str,
    Field(
        max_length=32,
        pattern=QUANTITY,
        # The pattern is asked of the text form alone, the minimum of the integer form alone.
        json_schema_extra={"x-kubernetes-int-or-string": True, "minimum": 0},
    ),
    BeforeValidator(_written),
]
"""A Kubernetes quantity such as `500Gi`, zero or more."""


def amount(quantity: str) -> Decimal:
    """Return a quantity as a number of its base unit (bytes, cores).

    Raises:
        ValueError: It is no quantity.

    >>> amount("1Ti") == amount("1024Gi"), amount("500M"), amount("25e-1")
    (True, Decimal('500000000'), Decimal('2.5'))
    """
    found = re.fullmatch(rf"\+?(?P<number>{_NUMBER})(?P<suffix>{_SUFFIX})?", quantity, re.ASCII)
    if found is None:
        raise ValueError(f"{quantity!r} is no quantity; a number with a unit such as 500Gi is required")
    number, suffix = Decimal(found["number"]), found["suffix"] or ""
    if suffix in _FACTORS:
        return number * _FACTORS[suffix]
    return number.scaleb(int(suffix[1:] or 0))
