"""LLMBar: an instruction and two answers, of which one follows it, if often not the one that looks better.

One row of `dataset.json`, shortened:
    {"input": "Infer the implied meaning of ...", "output_1": "...", "output_2": "...",
     "label": 1}
The label is the number of the better answer. Source: princeton-nlp/LLMBar, MIT. Benchmark: not to be trained
on.
"""

from typing import Final

from rrm.datasets.build import A, B, lettered, pair_id, sample, user
from rrm.datasets.fields import Row, choice, require_columns, text
from rrm.sample import DataSample

LABELS: Final = ((1, A), (2, B))


def convert(row: Row) -> list[DataSample]:
    """Return the pair in the row's order.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, ("input", "output_1", "output_2", "label"))
    asked = user(text(row, "input"))
    answers = text(row, "output_1"), text(row, "output_2")
    return [
        sample(
            pair_id(asked, *answers),
            asked,
            lettered(answers),
            source="llmbar",
            task_category="instruction_following",
            metadata={"preferred": choice(row["label"], "label", LABELS)},
        )
    ]
