"""Reads JSON however deep it is nested, without a recursion that has no end: what lies too deep is left out.

The API server takes 10,000 levels, and a pod template may hold as many. Python's own reader gives up at some
1,000 of them, and with a higher limit its stack might overflow, which ends the process. So we read with one
that stops after 201 levels by itself, and take out beforehand what it would stop at. Nothing that means
anything lies so deep: the spec refuses templates of more levels than `rrm_api.spec_pods.DEEPEST`.
"""

import re
from typing import Any, Final

from pydantic_core import from_json

LEVELS: Final = 150
"""How deep it is read: less than the reader can; more than a spec may be nested, also in a list of them."""
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)
"""Strings, for the brackets in them count for nothing, and brackets."""


def read_json(text: str | bytes) -> Any:
    """Return what a document says, with null for all that is nested more than `LEVELS` deep.

    Raises:
        ValueError: If it is no JSON.
    """
    try:
        return from_json(text, cache_strings="keys")
    except ValueError:
        # No JSON, or too deep: without its depths it is told which.
        raw = text.encode() if isinstance(text, str) else text
        return from_json(shallow(raw, LEVELS), cache_strings="keys")


def shallow(text: bytes, levels: int) -> bytes:
    """Return a JSON text with null for all that is nested deeper.

    >>> shallow(b'{"a": {"b": {"c": 1}}, "d": [2, [3]]}', 2)
    b'{"a": {"b": null}, "d": [2, null]}'
    """
    kept, depth, begin = bytearray(), 0, 0
    for token in _TOKEN.finditer(text):
        first = token[0][:1]
        if first in b"[{":
            depth += 1
            if depth == levels + 1:
                kept += text[begin : token.start()] + b"null"
        elif first in b"]}":
            if depth == levels + 1:
                begin = token.end()
            depth -= 1
    if depth <= levels:
        kept += text[begin:]
    return bytes(kept)
