"""Choosing rows by hashes of what they say: the same whatever the order of the files or the machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from rrm.data.rows import Kept


@dataclass(frozen=True)
class Held:
    """Prompt groups that are kept from training."""

    validation: frozenset[str] = frozenset()
    test: frozenset[str] = frozenset()


def drawn(keys: Iterable[str], *, seed: int) -> list[str]:
    """Return the keys in an order that only seed and keys decide.

    >>> drawn(["a", "b", "c"], seed=1) == drawn(["c", "b", "a"], seed=1)
    True
    """
    return sorted(set(keys), key=lambda key: sha256(f"{seed}:{key}".encode()).digest())


def draw_rows(rows: Sequence[Kept], *, limit: int | None, seed: int) -> list[Kept]:
    """Return at most `limit` rows in drawn order, or all rows in their own order without a limit.

    Where both orders of a pair are rows, they are drawn together; only the last may come alone.
    """
    if limit is None:
        return list(rows)
    by_name: dict[str, list[Kept]] = {}
    for row in rows:
        by_name.setdefault(row.names.pair or row.names.row, []).append(row)
    found = (row for name in drawn(by_name, seed=seed) for row in sorted(by_name[name], key=_row_id))
    return list(islice(found, limit))


def _row_id(row: Kept) -> str:
    return row.names.row


def hold_groups(
    groups: Iterable[str], *, validation: float | None, test: float | None, seed: int
) -> Held | None:
    """Return the prompt groups of validation and test: rounded shares, at least one each where asked for.

    The validation groups are the same with and without a test part.

    Args:
        groups: Prompt groups of the training rows.
        validation: Share of the groups, in (0, 1); None = not from these.
        test: The same.
        seed: Seed of the draw.

    Returns:
        None if nothing would be left to train on.

    >>> held = hold_groups([str(i) for i in range(40)], validation=0.05, test=0.1, seed=1)
    >>> len(held.validation), len(held.test)
    (2, 4)
    """
    order = drawn(groups, seed=seed)
    parts = sum(share is not None for share in (validation, test))
    first = 0 if validation is None else max(1, round(validation * len(order)))
    second = 0 if test is None else max(1, round(test * len(order)))
    if len(order) <= parts:
        return None
    first = min(first, len(order) - parts)
    second = min(second, len(order) - first - 1)
    return Held(frozenset(order[:first]), frozenset(order[first : first + second]))
