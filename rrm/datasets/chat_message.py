"""Bare conversations: what the assistant said last is the answer, what came before is the question.

One row:
    {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}], "label": 4}
User and assistant take turns, the assistant speaks last, and a system message may stand in front; any other
conversation is all question, without an answer. Rows of RM-Gallery's kind carry no label; where they do, it
is a number in the column that `source.label` names (default `label`).
"""

from collections.abc import Sequence
from typing import Any, Final

from rrm.datasets.build import Turn, answer, pair_id, sample
from rrm.datasets.fields import NOT_A_NUMBER, Row, conversation, is_number, require_columns
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import DataSample

DEFAULT_LABEL: Final = "label"
MESSAGES: Final = "messages"


def convert(row: Row, label: str | None = None) -> list[DataSample]:
    """Return one sample; of a conversation that does not end in an answer one without.

    Args:
        row: The raw row.
        label: Column that must hold the label; None = `label`, where there is one.

    Raises:
        RowRefused: If the messages are none, somebody unknown speaks, or the label is no number.
    """
    require_columns(row, (MESSAGES,))
    turns = conversation(row[MESSAGES], MESSAGES)
    said = has_answer(turns) and turns[-1]["content"].strip()
    asked = turns[:-1] if said else turns
    truth = label_in(row, label)
    return [
        sample(
            pair_id(turns),
            asked,
            [answer(turns[-1]["content"], truth)] if said else [],
            source="chat_message",
            task_category="chat",
        )
    ]


def has_answer(turns: Sequence[Turn]) -> bool:
    """Return whether user and assistant take turns, the assistant last, after at most one system message.

    >>> has_answer([{"role": "user"}, {"role": "assistant"}]), has_answer([{"role": "user"}])
    (True, False)
    """
    roles = [turn.get("role", "user") for turn in turns]
    if roles[0] == "system":
        roles = roles[1:]
    return len(roles) > 1 and roles == ["user", "assistant"] * (len(roles) // 2)


def label_in(row: Row, label: str | None) -> dict[str, Any]:
    """Return the label of a row by its column; none if no column was asked for and there is no `label`.

    Raises:
        RowRefused: If the column is not there, or holds no number.
    """
    column = label or DEFAULT_LABEL
    if label is not None:
        require_columns(row, (label,))
    value = row.get(column)
    if value is None and label is None:
        return {}
    if not is_number(value):
        raise RowRefused(NOT_A_NUMBER, expected=f"{column}: a number", found=shown(value))
    return {column: value}
