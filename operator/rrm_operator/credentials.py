"""Takes credentials out of words of others: what a pod wrote last, what an API server refused."""

import re
from typing import Final

MASKED: Final = "***"
_SHAPES: Final = (
    re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s,}]+(?:\s+[\w.+/=~-]+)?)"),
    re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.+/=~-]{8,}"),
    re.compile(r"()\b(?:hf_[A-Za-z0-9]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+)"),
)


def without_credentials(text: str) -> str:
    """Return a text in which tokens and authorization headers are masked.

    >>> without_credentials("401 for Bearer abcdefgh1234, see the log")
    '401 for Bearer ***, see the log'
    """
    for shape in _SHAPES:
        text = shape.sub(rf"\1{MASKED}", text)
    return text
