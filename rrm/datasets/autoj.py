"""Auto-J's pairs: a query of one of 58 scenarios and two answers, compared by people, 27 % of them ties.

One row of `testdata_pairwise.jsonl`, shortened:
    {"scenario": "seeking_advice", "label": 0, "prompt": "...", "response 1": "...", "response 2": "..."}
0 = the first answer is better, 1 = the second, 2 = tie. Source: GAIR-NLP/auto-j, no licence stated; the same
file lies in repositories under Apache-2.0.
"""

from typing import Final

from rrm.datasets.build import TIE, A, B, lettered, pair_id, sample, user
from rrm.datasets.fields import Row, choice, optional_text, require_columns, text
from rrm.sample import DataSample

LABELS: Final = ((0, A), (1, B), (2, TIE))


def convert(row: Row) -> list[DataSample]:
    """Return the pair in the row's order.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, ("prompt", "response 1", "response 2", "label"))
    asked = user(text(row, "prompt"))
    answers = text(row, "response 1"), text(row, "response 2")
    return [
        sample(
            pair_id(asked, *answers),
            asked,
            lettered(answers),
            source="autoj",
            task_category=optional_text(row, "scenario") or "chat",
            metadata={"preferred": choice(row["label"], "label", LABELS)},
        )
    ]
