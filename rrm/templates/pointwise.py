"""The pointwise template: one question, one answer, one score in `<score>`."""

from dataclasses import dataclass

from rrm.reasoning import ReasoningRule
from rrm.sample import DataSample, Speaker
from rrm.scales import Scale
from rrm.templates import Message
from rrm.templates.layout import Ask
from rrm.templates.verdict import SCORE_TAG, ParseFailure, Verdict, parse_verdict
from rrm_api.spec_data import Example


@dataclass(frozen=True)
class PointwiseTemplate:
    """What is asked about every sample, and how the score is read.

    Attributes:
        label: Attribute to rate; used in the task text unless one is given.
        scale: Range of the score.
        reasoning: Who reasons, and in which tag.
        task: Task text; None = rate the label on its scale.
        rubrics: Criteria, one line each.
        examples: Worked examples, shown before the question.
        special_tokens: Special tokens of the model's tokenizer; judged text may not contain them.
    """

    label: str
    scale: Scale
    reasoning: ReasoningRule
    task: str | None = None
    rubrics: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    special_tokens: tuple[str, ...] = ()

    def format(self, sample: DataSample) -> list[Message]:
        """Return the messages for the first answer of a sample."""
        return [Message(role=Speaker.USER.value, content=self._ask().about(sample))]

    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        """Return the score of the last complete `<score>` after the reasoning."""
        return parse_verdict(text, self.scale, self.reasoning, is_cut=is_cut)

    def _ask(self) -> Ask:
        low, high = self.scale.low, self.scale.high
        return Ask(
            task=self.task or f"Rate the {self.label.replace('_', ' ')} of the answer from {low} to {high}.",
            bare_reply=f"Reply with <{SCORE_TAG}>N</{SCORE_TAG}>.",
            verdict=f"the score as <{SCORE_TAG}>N</{SCORE_TAG}>, "
            f"where N is a whole number from {low} to {high}.",
            answers=("Answer",),
            tag=SCORE_TAG,
            reasoning=self.reasoning,
            rubrics=self.rubrics,
            examples=self.examples,
            special_tokens=self.special_tokens,
        )
