"""Why a raw row is not used: a short reason that is counted, and what was expected and found."""


class RowRefused(Exception):
    """A row that is not what its format promises."""

    def __init__(self, reason: str, *, expected: str, found: str) -> None:
        """Name the reason (a counter in status) and say what was expected and found."""
        self.reason, self.expected, self.found = reason, expected, found
        super().__init__(f"expected {expected}, found {found}")


def shown(value: object, limit: int = 60) -> str:
    """Return a value as it may stand in a message: its type and a short piece of it.

    >>> shown(["a"]), shown("x" * 100, 5)
    ("list ['a']", "str 'xxxx...")
    """
    kind = type(value).__name__
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer of thousands of digits
        return f"{kind} too large to show"
    return f"{kind} {text if len(text) <= limit else text[:limit] + '...'}"
