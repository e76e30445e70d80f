"""Metrics of pairwise verdicts on the scale -1 = A is better, 0 = tie, +1 = B is better.

Tie policy, in the names: `accuracy` takes a tie as a third class (it is right only where the label is one),
`accuracy_untied` leaves out pairs that people tied, and a predicted tie is wrong there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from rrm.judge.agreement import balanced_mean
from rrm.judge.scored import ScoredRow


def pairwise_metrics(
    rows: Sequence[ScoredRow], longer: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return how well verdicts agree with labels, and whether the order of the answers decides them.

    Keys: `accuracy`, `balanced_accuracy`, `label_a` (share of pairs whose first answer is better) and, each
    where there is ground for it, `accuracy_untied`, `verdict_a` and `verdict_tie` (shares of the readable
    verdicts: an unbiased judge has `verdict_a` near `label_a`), those of `swap_metrics`, those of
    `length_slices`. Where both orders of a pair were asked at once, accuracies are over the verdicts on both,
    `verdict_a` and `verdict_tie` over those on its own order.

    Args:
        rows: One answer each; at least one.
        longer: By row id which answer is the longer one, as a verdict: -1, 0 or +1.
    """
    labels = np.array([row.label for row in rows], dtype=np.int64)
    predictions = np.array([row.prediction for row in rows], dtype=np.int64)
    hits = np.array([row.hits for row in rows])
    metrics = {
        "accuracy": float(np.mean(hits)),
        "balanced_accuracy": balanced_mean(labels, hits),
        "label_a": float(np.mean(labels < 0)),
    }
    if (labels != 0).any():
        metrics["accuracy_untied"] = float(np.mean(hits[labels != 0]))
    verdicts = predictions[[row.parse_ok for row in rows]]
    if len(verdicts):
        metrics["verdict_a"] = float(np.mean(verdicts < 0))
        metrics["verdict_tie"] = float(np.mean(verdicts == 0))
    return {**metrics, **swap_metrics(rows), **length_slices(rows, longer or {})}


def swap_metrics(rows: Sequence[ScoredRow]) -> dict[str, float]:
    """Return how the judge fares over pairs that were asked in both orders; nothing if none was.

    Keys, each a mean over pairs in [0, 1]: `swap_consistency` (both verdicts name the same answer, or both
    say tie; an unreadable verdict names none) and `both_orders_right`. Where both orders were asked at once
    they come from that session; of rows that share a pair, several answers to a row are each met with each
    answer to the other order.

    >>> ab = ScoredRow("ab", "g", -1, -1, 1, True, pair_id="p")
    >>> swap_metrics([ab, ScoredRow("ba", "g", 1, -1, 0, True, pair_id="p")])
    {'swap_consistency': 0.0, 'both_orders_right': 0.0}
    """
    joint = [row for row in rows if row.is_joint]
    if joint:
        return {
            "swap_consistency": float(np.mean([row.swap_consistent for row in joint])),
            "both_orders_right": float(np.mean([row.hits == 1 for row in joint])),
        }
    orders: dict[str, dict[str, list[ScoredRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.pair_id is not None:
            orders[row.pair_id][row.row_id].append(row)
    whole = [tuple(pair.values()) for pair in orders.values() if len(pair) == 2]
    if not whole:
        return {}
    agree = [np.mean([_agree(a, b) for a, b in product(*pair)]) for pair in whole]
    right = [np.mean([a.hits == b.hits == 1 for a, b in product(*pair)]) for pair in whole]
    return {"swap_consistency": float(np.mean(agree)), "both_orders_right": float(np.mean(right))}


def length_slices(rows: Sequence[ScoredRow], longer: Mapping[str, float]) -> dict[str, float]:
    """Return the accuracy where the longer answer is the better one, and where the shorter one is.

    Keys: `accuracy_longer_better`, `accuracy_shorter_better`; a gap between them is a bias for length. Ties
    and pairs of equal or unknown length are in neither.

    Args:
        rows: One answer each.
        longer: By row id which answer is the longer one, as a verdict: -1, 0 or +1.
    """
    known = [row for row in rows if row.label * longer.get(row.row_id, 0) != 0]
    slices = {
        "accuracy_longer_better": [row.hits for row in known if row.label == longer[row.row_id]],
        "accuracy_shorter_better": [row.hits for row in known if row.label != longer[row.row_id]],
    }
    return {name: float(np.mean(hits)) for name, hits in slices.items() if hits}


def _agree(first: ScoredRow, second: ScoredRow) -> bool:
    """Return whether verdicts on AB and on BA name the same answer."""
    return first.parse_ok and second.parse_ok and first.prediction == -second.prediction
