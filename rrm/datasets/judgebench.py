"""JudgeBench: a hard question and two answers of one model, of which exactly one is right.

One row, shortened:
    {"pair_id": "81ee...", "original_id": "...", "source": "mmlu-pro-math", "question": "...",
     "response_model": "gpt-4o-2024-05-13", "response_A": "...", "response_B": "...", "label": "A>B"}
RM-Gallery leaves the truth in `metadata.label` only, where its own pairwise training does not look; here it
is in `metadata.preferred` too. Source: ScalerLab/JudgeBench, MIT. Benchmark: not to be trained on.
"""

from typing import Final

from rrm.datasets.build import A, B, lettered, sample, user
from rrm.datasets.fields import Row, choice, identifier, optional_text, require_columns, text
from rrm.sample import DataSample

VERDICTS: Final = (("A>B", A), ("B>A", B))
COLUMNS: Final = ("pair_id", "question", "response_A", "response_B", "label")


def convert(row: Row) -> list[DataSample]:
    """Return the pair in the row's order.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, COLUMNS)
    preferred = choice(row["label"], "label", VERDICTS)
    return [
        sample(
            identifier(row, "pair_id"),
            user(text(row, "question")),
            lettered((text(row, "response_A"), text(row, "response_B"))),
            source="judgebench",
            task_category="pairwise_comparison",
            metadata={
                "label": row["label"],
                "preferred": preferred,
                "original_id": optional_text(row, "original_id"),
                "original_source": optional_text(row, "source"),
                "response_model": optional_text(row, "response_model"),
            },
        )
    ]
