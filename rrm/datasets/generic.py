"""Rows of no known kind: the columns are found by their usual names, the label by `source.label`.

One row, of many:
    {"instruction": "Name a prime.", "output": "7", "quality": 5}
The question is the first of the columns prompt, question, input, text and instruction that is there, the
answer the first of response, answer, output and completion; rows with `messages` instead are read as
`chat_message`. The range of the label is `source.scale`'s.
"""

from typing import Final

from rrm.datasets import chat_message
from rrm.datasets.build import answer, pair_id, sample
from rrm.datasets.fields import MISSING_COLUMN, Row, as_text, conversation, require_columns
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import DataSample

QUESTIONS: Final = ("prompt", "question", "input", "text", "instruction")
ANSWERS: Final = ("response", "answer", "output", "completion")


def convert(row: Row, label: str | None = None) -> list[DataSample]:
    """Return one sample.

    Args:
        row: The raw row.
        label: Column that must hold the label; None = `label`, where there is one.

    Raises:
        RowRefused: If there is no question or answer, or the label is no number.
    """
    require_columns(row, ())
    if _first(row, QUESTIONS) is None and chat_message.MESSAGES in row:
        return chat_message.convert(row, label)
    question, response = _required(row, QUESTIONS), _required(row, ANSWERS)
    asked = conversation(row[question], question)
    said = as_text(row[response], response)
    return [
        sample(
            pair_id(asked, said),
            asked,
            [answer(said, chat_message.label_in(row, label))],
            source="generic",
            task_category="chat",
        )
    ]


def _first(row: Row, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if row.get(name) is not None), None)


def _required(row: Row, names: tuple[str, ...]) -> str:
    name = _first(row, names)
    if name is None:
        raise RowRefused(
            MISSING_COLUMN, expected=f"one of the columns {', '.join(names)}", found=shown(list(row))
        )
    return name
