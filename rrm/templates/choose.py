"""Which template a training asks with: ours for its method, or the class that its entry point names."""

import inspect
from collections.abc import Sequence
from typing import Any, Final

from rrm.errors import InvalidSpec, PluginFailed
from rrm.plugins.contained import Raised, contained
from rrm.plugins.load import load_entry_point
from rrm.reasoning import ReasoningRule
from rrm.scales import PREFERENCE, Scale
from rrm.templates import Template
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm.templates.verdict import BETTER_TAG, SCORE_TAG, ParseFailure, Verdict
from rrm_api.run import Intent
from rrm_api.spec_data import Example
from rrm_api.spec_train import Method

FIELD: Final = "spec.template.entryPoint"
GENERAL_LABELS: Final = frozenset(
    {"preference", "preferred", "overall", "better", "overall_score", "fine_grained_score"}
)
"""Labels of pairs that name no attribute: the prompt then asks for the better answer and says no more."""
_UPSTREAM: Final = "BasePromptTemplate"
_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def template_for(
    intent: Intent,
    *,
    label: str,
    scale: Scale,
    reasoning: ReasoningRule,
    special_tokens: tuple[str, ...] = (),
) -> Template:
    """Return the template that writes the prompts of a training and reads its answers.

    An own class has `format` and `parse`, whose faults are contained; of `label`, `scale`, `reasoning`,
    `task`, `rubrics`, `examples` and `special_tokens` it is given those that its constructor takes. A
    `BasePromptTemplate` is adapted.

    Args:
        intent: What is wanted.
        label: Attribute that the source's rows are judged by.
        scale: Range of pointwise scores; pairs are on `scales.PREFERENCE` whatever it says.
        reasoning: The model's reasoning rule.
        special_tokens: Special tokens of the model's tokenizer.

    Raises:
        InvalidSpec: If a worked example does not fit the method or the scale.
        PluginFailed: If the entry point names no template.
    """
    scale = PREFERENCE if intent.method is Method.PAIRWISE else scale
    given: dict[str, Any] = {
        "label": label,
        "scale": scale,
        "reasoning": reasoning,
        "task": intent.template.task,
        "rubrics": tuple(intent.template.rubrics),
        "examples": tuple(intent.template.examples),
        "special_tokens": special_tokens,
    }
    if intent.template.entry_point is not None:
        return _own(intent.template.entry_point, given)
    return _with_examples(intent.template.examples, *_ours(intent.method, given))


def _ours(method: Method, given: dict[str, Any]) -> tuple[Template, str, int]:
    """Return the method's template, the tag of its verdict, and how many answers it shows."""
    match method:
        case Method.POINTWISE:
            return PointwiseTemplate(**given), SCORE_TAG, 1
        case Method.PAIRWISE:
            label = None if given["label"] in GENERAL_LABELS else given["label"]
            fields = {name: value for name, value in given.items() if name != "scale"}
            return PairwiseTemplate(**fields | {"label": label}), BETTER_TAG, 2


def _with_examples(examples: Sequence[Example], template: Template, tag: str, answers: int) -> Template:
    for number, example in enumerate(examples):
        _require_fit(template, example, tag=tag, answers=answers, where=f"spec.template.examples[{number}]")
    return template


def _require_fit(template: Template, example: Example, *, tag: str, answers: int, where: str) -> None:
    """Refuse an example that the judge could not imitate: what it shows must be read as a verdict."""
    found = len(example.answers)
    if found != answers:
        raise InvalidSpec(f"{where}.answers: expected {answers} for this method, found {found}")
    read = template.parse(f"<{tag}>{example.verdict}</{tag}>")
    if not isinstance(read, Verdict):
        raise InvalidSpec(
            f"{where}.verdict: expected what the judge shall write in <{tag}>, found {example.verdict!r}, "
            f"which reads as {read.kind.value}"
        )


def _own(entry_point: str, given: dict[str, Any]) -> Template:
    # Late: that room imports this one.
    from rrm.plugins.templates import GuardedTemplate, adapt_template

    named = load_entry_point(entry_point, field=FIELD)
    is_class = inspect.isclass(named)  # not in the condition, where it would narrow Any to object
    if not is_class:
        raise PluginFailed(
            f"{FIELD} {entry_point}: expected a class with format and parse, found {type(named).__name__}"
        )
    if any(base.__name__ == _UPSTREAM for base in named.__mro__):
        return adapt_template(
            named,
            scale=given["scale"],
            reasoning=given["reasoning"],
            task=given["task"],
            rubrics=given["rubrics"],
            examples=given["examples"],
        )
    if lacking := [name for name in ("format", "parse") if not callable(getattr(named, name, None))]:
        raise PluginFailed(
            f"{FIELD} {entry_point}: expected a class with format and parse or a {_UPSTREAM}, "
            f"found one without {' and '.join(lacking)}"
        )
    return GuardedTemplate(_instance(entry_point, named, given))


def _instance(entry_point: str, named: type[Template], given: dict[str, Any]) -> Template:
    """Return an object of a user's class, given what its constructor asks for by name."""
    parameters = inspect.signature(named).parameters.values()
    takes_all = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    asked = {parameter.name for parameter in parameters if parameter.kind in _NAMED}
    arguments = {name: value for name, value in given.items() if takes_all or name in asked}
    template = contained(lambda: named(**arguments))
    if isinstance(template, Raised):
        raise PluginFailed(
            f"{FIELD} {entry_point}: its constructor may ask for {', '.join(given)}; called with "
            f"{', '.join(arguments) or 'nothing'} it raised {template}"
        )
    read: object = contained(lambda: template.parse("", is_cut=False))
    if isinstance(read, Raised):
        raise PluginFailed(f"{FIELD} {entry_point}: asked to read an empty answer, parse raised {read}")
    if not isinstance(read, Verdict | ParseFailure):
        raise PluginFailed(
            f"{FIELD} {entry_point}: expected parse to return a Verdict or a ParseFailure "
            f"(rrm.templates.verdict), found {type(read).__name__}"
        )
    return template
