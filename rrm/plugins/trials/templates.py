"""Trying a template: a prompt for each row, and what it reads out of answers."""

import inspect
from typing import Any, Final

from rrm.errors import PluginFailed
from rrm.plugins.contained import Raised
from rrm.plugins.templates import adapt_template
from rrm.plugins.trials.rewards import UNREADABLE, answers_to
from rrm.plugins.trials.trial import Material, Trial
from rrm.reasoning import RULES
from rrm.sample import Judged
from rrm.templates.verdict import ParseFailure, Verdict
from rrm_api.spec_train import Reasoning

_UPSTREAM: Final = "BasePromptTemplate"
_SHOWN_CHARS: Final = 60


def try_template(name: str, cls: Any, material: Material) -> Trial:
    """Return what a class writes about the rows and reads out of made-up answers.

    Raises:
        PluginFailed: If it cannot be made.
    """
    trial = Trial(name, "template")
    template = _made(trial, cls, material)
    if template is None:
        return trial
    for judged in material.judged:
        _format(trial, template, judged)
        for what, text in answers_to(judged, material).items():
            _parse(trial, template, what, text, judged=judged, material=material)
    return trial


def _made(trial: Trial, cls: Any, material: Material) -> Any:
    rule = RULES[Reasoning.NATIVE]
    if any(base.__name__ == _UPSTREAM for base in getattr(cls, "__mro__", ())):
        return adapt_template(cls, scale=material.scale, reasoning=rule)
    if not (inspect.isclass(cls) and hasattr(cls, "format") and hasattr(cls, "parse")):
        raise PluginFailed(f"{trial.name}: expected a class with format and parse, found {cls!r}")
    given = {
        "label": material.label,
        "scale": material.scale,
        "reasoning": rule,
        "task": None,
        "rubrics": (),
        "examples": (),
        "special_tokens": (),
    }
    asked = inspect.signature(cls).parameters
    made = trial.call(lambda: cls(**{key: value for key, value in given.items() if key in asked}))
    if isinstance(made, Raised):
        trial.violate(f"its constructor may ask for {', '.join(given)}; it raised {made}")
        return None
    return made


def _format(trial: Trial, template: Any, judged: Judged) -> None:
    sample = judged.sample
    messages = trial.call(lambda: template.format(sample))
    if isinstance(messages, Raised):
        trial.violate(f"format raised {messages}: preparing the rows would end with exit code 13")
        return
    fault = _fault_of(messages)
    if fault:
        trial.violate(f"format: expected a list of messages with role and content, found {fault}")
        return
    text = "\n".join(message["content"] for message in messages)
    trial.shown.append(
        (f"format, {sample.unique_id[:8]}", f"{len(messages)} message(s), {len(text)} characters")
    )
    hidden = [answer for answer in sample.output if answer.answer.content not in text]
    if hidden:
        trial.remark("a prompt does not contain the answer that it asks about, or contains it changed")


def _fault_of(messages: Any) -> str:
    if not isinstance(messages, list) or not messages:
        return repr(messages)[:_SHOWN_CHARS]
    for message in messages:
        if (
            not isinstance(message, dict)
            or not isinstance(message.get("content"), str)
            or "role" not in message
        ):
            return repr(message)[:_SHOWN_CHARS]
    return ""


def _parse(trial: Trial, template: Any, what: str, text: str, *, judged: Judged, material: Material) -> None:
    read = trial.call(lambda: template.parse(text))
    if isinstance(read, Raised):
        trial.violate(f"parse raised {read}; it has to return a ParseFailure", at=f", first for {text!r}")
        return
    if not isinstance(read, Verdict | ParseFailure):
        trial.violate(f"parse: expected Verdict or ParseFailure, found {type(read).__name__}")
        return
    trial.shown.append((f"parse {text!r}", _words(read)))
    if isinstance(read, Verdict) and read.score not in material.scale:
        trial.violate(f"parse({text!r}): the verdict {read.score} is off the scale")
    if isinstance(read, Verdict) and what in UNREADABLE:
        trial.violate(f"parse({text!r}): reads the verdict {read.score} out of an answer that has none")
    if what == "right" and not (isinstance(read, Verdict) and read.score == judged.label):
        trial.remark(f"parse({text!r}) gives {_words(read)}, not {judged.label:g}; is another tag asked for?")


def _words(read: Verdict | ParseFailure) -> str:
    return f"verdict {read.score}" if isinstance(read, Verdict) else f"not readable: {read.kind.value}"
