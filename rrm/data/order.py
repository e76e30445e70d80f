"""Order leakage: where the first answer of a pair wins too often, always saying so would pay.

RewardBench and HH-RLHF put the better answer first in every row; a judge trained on them as shipped learns
the place and not the answers. Such a source is balanced by turning pairs round, and that is said. Each source
by itself: a judge can tell them apart, and a small one would not be noticed among many even pairs.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Final

from rrm.data.rows import Kept
from rrm.data.split import drawn

SIGNIFICANCE: Final = 0.01


@dataclass(frozen=True)
class Order:
    """How often the first answer wins among the pairs of a part that are no tie.

    Attributes:
        pairs: Pairs without ties.
        first_wins: Pairs whose first answer is better, as the sources have them.
        p_value: Two-sided probability of a share at least that uneven if place meant nothing; of the source
            where it is least.
        turned: Names of the pairs that were turned round.
        first_wins_after: Pairs whose first answer is better once those are turned.
    """

    pairs: int
    first_wins: int
    p_value: float
    turned: frozenset[str] = frozenset()
    first_wins_after: int = 0

    @property
    def before(self) -> float:
        """Share of pairs whose first answer wins, before."""
        return self.first_wins / self.pairs if self.pairs else 0.5

    @property
    def after(self) -> float:
        """The same share once pairs are turned."""
        return self.first_wins_after / self.pairs if self.pairs else 0.5


def sign_test(wins: int, trials: int) -> float:
    """Return the exact two-sided p value of `wins` in `trials` tosses of a fair coin; in [0, 1].

    >>> round(sign_test(9, 10), 6), sign_test(5, 10), sign_test(0, 0)
    (0.021484, 1.0, 1.0)
    """
    extreme = max(wins, trials - wins)
    if 2 * extreme == trials:
        return 1.0
    term = exp(lgamma(trials + 1) - lgamma(extreme + 1) - lgamma(trials - extreme + 1) - trials * log(2))
    tail = 0.0
    for k in range(extreme, trials + 1):
        tail += term
        if term < tail * 1e-16:
            break
        term *= (trials - k) / (k + 1)
    return min(1.0, 2 * tail)


def examine(rows: Iterable[Kept], *, seed: int) -> Order:
    """Return the order of a part's pairs, and which are to be turned for it to tell nothing.

    Pairs that the part holds in both orders are left alone: they are even already.
    """
    sources: dict[int, list[Kept]] = {}
    for row in rows:
        if row.label:
            sources.setdefault(row.source, []).append(row)
    both = _in_both_orders([row for untied in sources.values() for row in untied])
    orders = [_examine(untied, both, seed=seed) for untied in sources.values()]
    return Order(
        pairs=sum(order.pairs for order in orders),
        first_wins=sum(order.first_wins for order in orders),
        p_value=min((order.p_value for order in orders), default=1.0),
        turned=frozenset().union(*(order.turned for order in orders)),
        first_wins_after=sum(order.first_wins_after for order in orders),
    )


def _examine(untied: Sequence[Kept], both: Set[str | None], *, seed: int) -> Order:
    first = [row for row in untied if row.label < 0]
    second = len(untied) - len(first)
    p_value = sign_test(len(first), len(untied))
    if p_value >= SIGNIFICANCE:
        return Order(len(untied), len(first), p_value, first_wins_after=len(first))
    winners = first if len(first) > second else [row for row in untied if row.label > 0]
    names = [str(row.names.pair) for row in winners if row.names.pair not in both]
    turned = frozenset(drawn(names, seed=seed)[: abs(len(first) - second) // 2])
    moved = -len(turned) if winners is first else len(turned)
    return Order(len(untied), len(first), p_value, turned, len(first) + moved)


def _in_both_orders(rows: Sequence[Kept]) -> set[str | None]:
    once: set[str | None] = set()
    twice: set[str | None] = set()
    for row in rows:
        (twice if row.names.pair in once else once).add(row.names.pair)
    return twice
