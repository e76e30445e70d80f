"""The reasoning rule: exactly one source of reasoning, and chat template, prompt and parser agree on it.

A model that thinks by itself (`Native`) is told to by its chat template and must not be asked for a second
reasoning in the prompt; any other is either asked for a tag (`Prompted`) or for the bare score (`None`).
"""

import re
from dataclasses import dataclass
from typing import Final

from rrm_api.spec_train import Model, Reasoning

_THINKS: Final = re.compile(
    r"qwen[-_]?3(?!.*(instruct|coder|base|embedding|reranker))|qwq|deepseek[-_.]?r1|r1[-_](?:deepseek[-_])?distill|[-_]thinking|magistral",
    re.IGNORECASE,
)


REASONING_TAGS: Final = ("think", "reason")
"""Tags that hold reasoning: a thinking model's own, and the one our prompt asks others for."""


@dataclass(frozen=True)
class ReasoningRule:
    """What one resolved kind of reasoning means for template, prompt and parser.

    Attributes:
        kind: `Native`, `Prompted` or `None`; never `Auto`.
        tag: Name of the tag that holds the reasoning, or None.
        is_asked_for: Whether the prompt asks for the tag.
        enable_thinking: Argument for the model's chat template.
    """

    kind: Reasoning
    tag: str | None
    is_asked_for: bool
    enable_thinking: bool

    @property
    def chat_template_kwargs(self) -> dict[str, bool]:
        """Arguments for the model's chat template; templates without such a switch ignore them."""
        return {"enable_thinking": self.enable_thinking}


RULES: Final = {
    Reasoning.NATIVE: ReasoningRule(Reasoning.NATIVE, "think", is_asked_for=False, enable_thinking=True),
    Reasoning.PROMPTED: ReasoningRule(Reasoning.PROMPTED, "reason", is_asked_for=True, enable_thinking=False),
    Reasoning.NONE: ReasoningRule(Reasoning.NONE, None, is_asked_for=False, enable_thinking=False),
}


def resolve_reasoning(model: Model) -> ReasoningRule:
    """Return the rule of a model; `Auto` reads the family from the last part of its name.

    >>> [str(resolve_reasoning(Model(name=n)).kind) for n in ("Qwen/Qwen3-8B", "Qwen/Qwen2.5-14B-Instruct")]
    ['Native', 'Prompted']
    >>> str(resolve_reasoning(Model(name="Qwen/Qwen3-8B", reasoning="None")).kind)
    'None'
    """
    if model.reasoning is not Reasoning.AUTO:
        return RULES[model.reasoning]
    family = model.name.rstrip("/").rsplit("/", 1)[-1]
    return RULES[Reasoning.NATIVE if _THINKS.search(family) else Reasoning.PROMPTED]
