"""Why a raw row is not used: a short reason that is counted, and what was expected and found."""


class RowRefused(Exception):
    """A row that is not what its format promises."""

    def __init__(self, reason: str, *, expected: str, found: str) -> None:
        """Name the reason (a counter in status) and say what was expected and found."""
        # Column names and exceptions of the user end up here, and half a surrogate pair cannot be written.
        self.reason, self.expected, self.found = map(_writable, (reason, expected, found))
        super().__init__(f"expected {self.expected}, found {self.found}")


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


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
