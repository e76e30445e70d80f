"""The pairwise template: one conversation, answers A and B, the better one in `<better>`."""

from dataclasses import dataclass

from rrm.reasoning import ReasoningRule
from rrm.sample import DataSample, Speaker
from rrm.templates import Message
from rrm.templates.layout import Ask
from rrm.templates.verdict import BETTER_TAG, ParseFailure, Verdict, parse_preference
from rrm_api.spec_data import Example

_FORMS = [f"<{BETTER_TAG}>{name}</{BETTER_TAG}>" for name in ("A", "B", "tie")]
_VERDICT = f"{_FORMS[0]}, {_FORMS[1]} or {_FORMS[2]}."


@dataclass(frozen=True)
class PairwiseTemplate:
    """What is asked about every pair, and how the verdict is read; a verdict is on `scales.PREFERENCE`.

    Attributes:
        reasoning: Who reasons, and in which tag.
        label: Attribute to compare the answers by; None = in general. Unused if a task text is given.
        task: Task text; None = name the better answer.
        rubrics: Criteria, one line each.
        examples: Worked examples of two answers, shown before the question.
        special_tokens: Special tokens of the model's tokenizer; judged text may not contain them.
    """

    reasoning: ReasoningRule
    label: str | None = None
    task: str | None = None
    rubrics: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    special_tokens: tuple[str, ...] = ()

    def format(self, sample: DataSample) -> list[Message]:
        """Return the messages for a sample of two answers; the first is A.

        Raises:
            ValueError: If it has not two answers.
        """
        if len(sample.output) != 2:
            raise ValueError(
                f"sample {sample.unique_id}: a pairwise prompt shows two answers, found {len(sample.output)}"
            )
        return [Message(role=Speaker.USER.value, content=self._ask().about(sample))]

    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        """Return the verdict of the last complete tag after the reasoning: -1 = A, 0 = tie, +1 = B."""
        return parse_preference(text, self.reasoning, is_cut=is_cut)

    def _ask(self) -> Ask:
        by = f" by {self.label.replace('_', ' ')}" if self.label else ""
        return Ask(
            task=self.task or f"Compare answer A and answer B{by} and name the better one.",
            bare_reply=f"Reply with {_VERDICT}",
            verdict=f"your verdict as {_VERDICT}",
            answers=("Answer A", "Answer B"),
            tag=BETTER_TAG,
            reasoning=self.reasoning,
            rubrics=self.rubrics,
            examples=self.examples,
            special_tokens=self.special_tokens,
        )
