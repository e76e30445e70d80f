"""What data.json says, in the shape that the page knows: another version's words are listed as they are."""

from collections.abc import Mapping
from typing import Any, Final

from rrm.report.reading import Row, numbers_in, objects_in
from rrm.report.setup import flattened

KNOWN: Final = {"prepared", "limits", "parts", "floors", "example"}
"""What the page shows in its own way."""
KNOWN_IN_PART: Final = {"sources", "dropped", "rows", "prompts", "labels", "promptTokens"}


def parts_of(data: Mapping[str, Any]) -> dict[str, Row]:
    """Return what is said of each part; what the page does not know comes under `more`.

    >>> parts_of({"parts": {"train": {"rows": 3, "order": {"turned": 1}}}})["train"]["more"]
    [('order.turned', 1)]
    """
    found = {name: part for name, part in _object(data.get("parts")).items() if isinstance(part, dict)}
    return {
        name: {
            **part,
            "sources": objects_in(part.get("sources")),
            "dropped": {reason: why for reason, why in _object(part.get("dropped")).items() if _object(why)},
            "labels": dict(numbers_in(_object(part.get("labels")))),
            "promptTokens": _object(part.get("promptTokens")),
            "more": more_of(part, KNOWN_IN_PART),
        }
        for name, part in found.items()
    }


def benchmarks_of(data: Mapping[str, Any]) -> list[Row]:
    """Return what is said of each benchmark that training rows were held against."""
    kinds = ("samePrompt", "thirteenWords")
    listed = objects_in(data.get("decontamination"))
    return [{**entry, **{kind: _object(entry.get(kind)) for kind in kinds}} for entry in listed]


def example_in(data: Mapping[str, Any]) -> list[Row]:
    """Return the messages of the first training prompt."""
    return objects_in(data.get("example"))


def more_in(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the leaves of what the page does not know, by path."""
    return more_of(data, KNOWN | ({"decontamination"} if benchmarks_of(data) else set()))


def more_of(document: Mapping[str, Any], known: set[str]) -> list[tuple[str, Any]]:
    """Return the leaves of a document beside what is known of it, by path."""
    rest = {key: value for key, value in document.items() if key not in known}
    return flattened(rest) if rest else []


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}
