"""A column `split` in the rows, as HelpSteer2-Preference has one: rows of another split are left out."""

from collections.abc import Iterable, Iterator
from typing import Final

from rrm.data.rows import Place, RawRow
from rrm.data.validate import Count, Tally
from rrm.errors import DataInvalid

OTHER_SPLIT: Final = "of another split"
_MEANT: Final = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
"""Names that can only mean a split, and which; a column of other values is somebody's own."""


def of_split(
    rows: Iterable[RawRow], split: str | None, *, place: str, tally: Tally, count: Count
) -> Iterator[RawRow]:
    """Yield the rows that do not say that they are of another split; count the others.

    Args:
        rows: Raw rows of a source.
        split: The wanted one; None = all rows.
        place: The source, for messages.
        tally: Receives what was left out.
        count: Counts what was left out as read.

    Raises:
        DataInvalid: If all rows are of other splits.
    """
    wanted = _MEANT.get((split or "").lower())
    others: dict[str, Place] = {}
    is_empty = True
    for row in rows:
        said = row.values.get("split")
        found = _MEANT.get(said.lower()) if isinstance(said, str) else None
        if wanted is None or found is None or found == wanted:
            is_empty = False
            yield row
            continue
        count.read += 1
        others.setdefault(found, row.place)
        tally.add(OTHER_SPLIT, str(row.place))
    if is_empty and others:
        raise DataInvalid(
            expected=f"rows of the split {split}",
            found=f"only rows whose column split says {', '.join(sorted(others))}",
            where=place,
            do="name one of these as the source's split",
        )
