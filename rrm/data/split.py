"""Choosing rows by hashes of what they say: the same whatever the order of the files or the machine."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TypeVar

from rrm.data.rows import PreparedRow

Key = TypeVar("Key")


def drawn(keys: Iterable[str], *, seed: int) -> list[str]:
    """Return the keys in an order that only seed and keys decide.

    >>> drawn(["a", "b", "c"], seed=1) == drawn(["c", "b", "a"], seed=1)
    True
    """
    return sorted(set(keys), key=lambda key: sha256(f"{seed}:{key}".encode()).digest())


def draw_rows(rows: Sequence[PreparedRow], *, limit: int | None, seed: int) -> list[PreparedRow]:
    """Return at most `limit` rows in drawn order, or all rows in their own order without a limit."""
    if limit is None:
        return list(rows)
    by_id = {row.row_id: row for row in rows}
    return [by_id[key] for key in drawn(by_id, seed=seed)[:limit]]


def validation_groups(groups: Iterable[str], *, fraction: float, seed: int) -> frozenset[str]:
    """Return the prompt groups that become validation: the rounded share, at least one, never all.

    >>> len(validation_groups([str(i) for i in range(40)], fraction=0.05, seed=1))
    2
    """
    order = drawn(groups, seed=seed)
    wanted = max(1, round(fraction * len(order)))
    return frozenset(order[: min(wanted, len(order) - 1)])
