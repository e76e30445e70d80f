"""`DataSample`: one row in RM-Gallery's shape, and `Judged`: what of it one prompt asks about.

Field names and nesting are RM-Gallery's, so its files load unchanged and ours load there; the ground truth
lives in `output[i].answer.label`. Fields that nothing here reads are kept, not refused.
"""

from dataclasses import dataclass
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
    """One candidate answer, and the steps it was reached by where the source has them."""

    answer: Step
    steps: tuple[Step, ...] | None = None


class DataSample(_Shape):
    """A conversation and its candidate answers: one for pointwise, two for pairwise, more for listwise."""

    unique_id: str
    input: tuple[ChatMessage, ...]
    output: tuple[DataOutput, ...]
    source: str | None = None
    task_category: str | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True)
class Judged:
    """What one prompt asks about: a sample of one answer (pointwise) or two (pairwise), and the truth.

    Attributes:
        sample: Conversation and answers; of two, the first is A.
        label: Truth on the scale; for a pair -1 = A is better, 0 = tie, +1 = B is better.
        strength: How clear the preference of a pair is, in [0, 1]; 1 where the source does not say.
    """

    sample: DataSample
    label: float
    strength: float = 1.0

    def swapped(self) -> "Judged":
        """Return the same pair in the other order.

        Raises:
            ValueError: If it is no pair.
        """
        if len(self.sample.output) != 2:
            raise ValueError(f"only a pair has another order, found {len(self.sample.output)} answers")
        output = self.sample.output[::-1]
        # + 0.0: a tie stays a zero without a sign.
        return Judged(self.sample.model_copy(update={"output": output}), -self.label + 0.0, self.strength)
