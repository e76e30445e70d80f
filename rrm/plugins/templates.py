"""Templates of the user: RM-Gallery's `BasePromptTemplate` classes run unchanged, no other crashes a run.

Upstream's class writes one text from named arguments and reads an answer into fields; ours takes a sample and
gives a verdict. The adapter passes what RM-Gallery's reward modules pass, and reads `score`, `preference`,
`better` or `best`.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rrm.errors import PluginFailed
from rrm.plugins.contained import Raised, contained
from rrm.reasoning import ReasoningRule
from rrm.sample import ChatMessage, DataSample, Speaker
from rrm.scales import PREFERENCE, Scale
from rrm.templates import Message, Template
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict
from rrm_api.spec_data import Example
from rrm_api.spec_train import Reasoning

_FIELDS: Final = ("score", "preference", "better", "best")
_PREFERRED: Final = {"a": -1, "response a": -1, "answer a": -1, "b": 1, "response b": 1, "answer b": 1}
_TIES: Final = frozenset({"tie", "equal", "same"})
_BEST: Final = {1: PREFERENCE.low, 2: PREFERENCE.high}
_TASK: Final = "Rate the quality of the answer."
_PAIR_TASK: Final = "Compare the two answers and say which one is better."


@dataclass(frozen=True)
class AdaptedTemplate:
    """A `BasePromptTemplate` class as our `Template`.

    Attributes:
        cls: The user's class.
        scale: Range of the verdict.
        enable_thinking: What its `format` is told; see `thinking_argument`.
        desc: Task text.
        rubrics: Numbered criteria, one per line.
        examples: Worked examples as one text.
    """

    cls: Any
    scale: Scale
    enable_thinking: bool
    desc: str = ""
    rubrics: str = ""
    examples: str = ""

    def format(self, sample: DataSample) -> list[Message]:
        """Return the class's text as one user message, or the messages it wrote itself.

        Raises:
            PluginFailed: If the class raises, or returns neither text nor messages.
        """
        arguments = _accepted(self.cls.format, self._arguments(sample))
        written = contained(lambda: self.cls.format(**arguments))
        if isinstance(written, Raised):
            raise PluginFailed(f"{self.cls.__name__}.format, sample {sample.unique_id}: {written}")
        if isinstance(written, str):
            return [Message(role=Speaker.USER.value, content=written)]
        if isinstance(written, list) and written and all(map(_is_message, written)):
            return [Message(role=str(it.get("role", "user")), content=it["content"]) for it in written]
        raise PluginFailed(
            f"{self.cls.__name__}.format, sample {sample.unique_id}: expected a text or a list of messages, "
            f"found {type(written).__name__}"
        )

    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        """Return what the class read; whatever it raises is an answer that could not be read."""
        read = contained(lambda: self.cls.parse(text))
        if isinstance(read, Raised):
            return ParseFailure(FailureKind.TRUNCATED if is_cut else _kind_of(read.said))
        return _verdict(read, self.scale)

    def _arguments(self, sample: DataSample) -> dict[str, Any]:
        answers = [output.answer.content for output in sample.output]
        extra = (sample.input[-1].model_extra or {}).get("additional_kwargs") if sample.input else None
        return {
            "desc": self.desc,
            "scenario": "",
            "rubrics": self.rubrics,
            "examples": self.examples,
            "query": as_query(sample.input),
            "context": (extra or {}).get("context") or "",
            **({"answer": answers[0]} if len(answers) == 1 else {"answers": answers}),
            "enable_thinking": self.enable_thinking,
        }


@dataclass(frozen=True)
class GuardedTemplate:
    """A user's template: a fault of `parse` is an unreadable answer, one of `format` ends with exit 13."""

    template: Template

    def format(self, sample: DataSample) -> list[Message]:
        """Return its messages.

        Raises:
            PluginFailed: If it raises.
        """
        messages = contained(lambda: self.template.format(sample))
        if isinstance(messages, Raised):
            raise PluginFailed(f"{type(self.template).__name__}.format, {sample.unique_id}: {messages}")
        return messages

    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        """Return its verdict; what is neither verdict nor failure, or raises, could not be read."""
        read = contained(lambda: self.template.parse(text, is_cut=is_cut))
        if isinstance(read, Verdict | ParseFailure):
            return read
        return ParseFailure(FailureKind.TRUNCATED if is_cut else FailureKind.MISSING)


def adapt_template(
    cls: Any,
    *,
    scale: Scale,
    reasoning: ReasoningRule,
    task: str | None = None,
    rubrics: Sequence[str] = (),
    examples: Sequence[Example] = (),
) -> AdaptedTemplate:
    """Return a `BasePromptTemplate` class as our template.

    Args:
        cls: A pydantic class with the class methods `format(**arguments)` and `parse(text)`.
        scale: Range of the verdict; `scales.PREFERENCE` for a pair.
        reasoning: The model's rule; decides what `enable_thinking` is.
        task: Task text, upstream's `desc`.
        rubrics: Criteria.
        examples: Worked examples.

    Raises:
        PluginFailed: If the class has no such methods.
    """
    lacking = [name for name in ("format", "parse") if not inspect.ismethod(getattr(cls, name, None))]
    if lacking:
        raise PluginFailed(
            f"{getattr(cls, '__name__', cls)}: expected the class methods format and parse of a "
            f"BasePromptTemplate, found no {' and no '.join(lacking)}"
        )
    return AdaptedTemplate(
        cls,
        scale,
        thinking_argument(cls, reasoning),
        desc=task or (_PAIR_TASK if scale == PREFERENCE else _TASK),
        rubrics="".join(f"{number}. {rubric}\n" for number, rubric in enumerate(rubrics, start=1)),
        examples="\n".join(_example(example) for example in examples),
    )


def thinking_argument(cls: Any, reasoning: ReasoningRule) -> bool:
    """Return the `enable_thinking` with which the prompt asks for reasoning exactly if the rule says so.

    RM-Gallery turned the meaning of this argument over four times, so the class itself is asked: whichever
    value puts a reasoning tag into its output requirements, or leaves it out, as the model needs. Where both
    say the same, the argument is what its guide tells: False for models that think by themselves.
    """
    asks = {value: _asks_for_reasoning(cls, value) for value in (False, True)}
    if asks[False] != asks[True]:
        return asks[True] is reasoning.is_asked_for
    return reasoning.kind is not Reasoning.NATIVE


def _asks_for_reasoning(cls: Any, enable_thinking: bool) -> bool:
    schema = contained(lambda: str(cls.schema(enable_thinking=enable_thinking)))
    return isinstance(schema, str) and ("<reason>" in schema or "<think>" in schema)


def as_query(messages: Sequence[ChatMessage]) -> str:
    """Return a conversation as RM-Gallery shows it: each message between tags of its role.

    >>> as_query([ChatMessage(content="Hi")])
    '<user>Hi</user>'
    """
    return "\n".join(f"<{it.role.value}>{it.content}</{it.role.value}>" for it in messages)


def _is_message(written: Any) -> bool:
    return isinstance(written, dict) and isinstance(written.get("content"), str)


def _example(example: Example) -> str:
    answers = "\n".join(f"Answer: {answer}" for answer in example.answers)
    reasoning = f"\nReason: {example.reasoning}" if example.reasoning else ""
    return f"Query: {example.question}\n{answers}{reasoning}\nVerdict: {example.verdict}"


def _accepted(function: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a function takes: not every class has `**kwargs`."""
    parameters = inspect.signature(function).parameters
    if any(it.kind is inspect.Parameter.VAR_KEYWORD for it in parameters.values()):
        return arguments
    return {name: value for name, value in arguments.items() if name in parameters}


def _kind_of(said: str) -> FailureKind:
    """Return why pydantic refused an answer: a field that is there but no whole number, or none."""
    is_number = "integer" in said.lower() or "int()" in said or "int_parsing" in said
    return FailureKind.NOT_INTEGER if is_number else FailureKind.MISSING


def _verdict(read: Any, scale: Scale) -> Verdict | ParseFailure:
    for name in _FIELDS:
        value = getattr(read, name, None)
        if value is not None:
            return _best(value) if name == "best" else _from_value(value, scale)
    return ParseFailure(FailureKind.MISSING)


def _from_value(value: Any, scale: Scale) -> Verdict | ParseFailure:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _PREFERRED or word in _TIES:
            return Verdict(_PREFERRED.get(word, 0))
        return ParseFailure(FailureKind.AMBIGUOUS)
    if not isinstance(value, int | float) or value % 1 != 0:  # of infinity and NaN: NaN
        return ParseFailure(FailureKind.NOT_INTEGER)
    return Verdict(int(value)) if value in scale else ParseFailure(FailureKind.OUT_OF_RANGE)


def _best(value: Any) -> Verdict | ParseFailure:
    """Read the number of the better of two answers, counted from 1."""
    if not isinstance(value, int):
        return ParseFailure(FailureKind.NOT_INTEGER)
    return Verdict(_BEST[value]) if value in _BEST else ParseFailure(FailureKind.OUT_OF_RANGE)
