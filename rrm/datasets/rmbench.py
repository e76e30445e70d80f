"""RM-Bench: a prompt, three right and three wrong answers, each concise, detailed, and detailed in Markdown.

One row of `total_dataset.json`, shortened:
    {"id": "1030", "prompt": "...", "domain": "chat", "chosen": ["concise", "detailed", "with Markdown"],
     "rejected": ["concise", "detailed", "with Markdown"], "error_key": "...", "error": "..."}
The benchmark compares each right answer with each wrong one: nine pairs. Each answer's label names its style.
Source: THU-KEG/RM-Bench, ODC-BY. Benchmark: not to be trained on.
"""

from collections.abc import Mapping
from typing import Any, Final

from rrm.datasets.build import CHOSEN, REJECTED, Output, answer, sample
from rrm.datasets.fields import (
    WRONG_TYPE,
    Row,
    conversation,
    identifier,
    optional_text,
    require_columns,
    texts,
)
from rrm.datasets.refusal import RowRefused
from rrm.sample import DataSample

STYLES: Final = ("concise", "detailed_plain", "detailed_markdown")


def convert(row: Row) -> list[DataSample]:
    """Return one sample of six answers, the right ones first.

    Raises:
        RowRefused: If a column is missing or not of its type, or there are not three answers each.
    """
    require_columns(row, ("id", "prompt", "chosen", "rejected"))
    return [
        sample(
            identifier(row, "id"),
            conversation(row["prompt"], "prompt"),
            [*_outputs(row, "chosen", CHOSEN), *_outputs(row, "rejected", REJECTED)],
            source="rmbench",
            task_category="conversation",
            metadata={"subset": optional_text(row, "domain")},
        )
    ]


def _outputs(row: Row, name: str, label: Mapping[str, Any]) -> list[Output]:
    answers = texts(row[name], name)
    if len(answers) != len(STYLES):
        raise RowRefused(WRONG_TYPE, expected=f"{name}: three answers", found=f"{len(answers)}")
    return [answer(said, {**label, "style": style}) for said, style in zip(answers, STYLES, strict=True)]
