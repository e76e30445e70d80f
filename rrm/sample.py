"""`DataSample`: one row in RM-Gallery's shape, as far as pointwise training reads it.

Field names and nesting are RM-Gallery's, so its files load unchanged; the ground truth lives in
`output[i].answer.label`. Fields that nothing here reads yet are kept, not refused.
"""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class Speaker(StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    FUNCTION = "function"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class ChatMessage(_Shape):
    """One message of the conversation."""

    role: Speaker = Speaker.USER
    content: str = ""


class Step(ChatMessage):
    """An answer, or a step of one; `label` is the ground truth by attribute, on the source's scale."""

    role: Speaker = Speaker.ASSISTANT
    label: dict[str, Any] | None = None


class DataOutput(_Shape):
    """One candidate answer."""

    answer: Step


class DataSample(_Shape):
    """A conversation and its candidate answers: one for pointwise, two for pairwise."""

    unique_id: str
    input: tuple[ChatMessage, ...]
    output: tuple[DataOutput, ...]
    source: str | None = None
    task_category: str | None = None
    metadata: dict[str, Any] | None = None
