"""Exactly one source of reasoning: template argument, prompt and parser agree."""

import pytest

from rrm.reasoning import REASONING_TAGS, RULES, resolve_reasoning
from rrm_api.spec_train import Model, Reasoning


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Qwen/Qwen3-8B", "Native"),
        ("Qwen/Qwen3-30B-A3B-Thinking-2507", "Native"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "Prompted"),
        ("Qwen/Qwen3-8B-Base", "Prompted"),
        ("Qwen/QwQ-32B", "Native"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "Native"),
        ("gaotang/RM-R1-DeepSeek-Distilled-Qwen-7B", "Native"),
        ("gaotang/RM-R1-Qwen2.5-Instruct-7B", "Prompted"),
        ("Qwen/Qwen2.5-14B-Instruct", "Prompted"),
        ("meta-llama/Llama-3.1-8B-Instruct", "Prompted"),
        ("my-qwen3-fork/Llama-3.1-8B", "Prompted"),
    ],
)
def test_auto_reads_the_family_from_the_name(name: str, kind: str) -> None:
    assert resolve_reasoning(Model(name=name)).kind == kind


def test_a_given_kind_is_kept() -> None:
    for kind in ("Native", "Prompted", "None"):
        assert resolve_reasoning(Model(name="Qwen/Qwen3-8B", reasoning=Reasoning(kind))).kind == kind


def test_only_native_reasoning_switches_the_models_thinking_on() -> None:
    switched = {str(kind): rule.chat_template_kwargs["enable_thinking"] for kind, rule in RULES.items()}
    assert switched == {"Native": True, "Prompted": False, "None": False}


def test_never_two_sources_of_reasoning() -> None:
    assert not any(rule.is_asked_for and rule.enable_thinking for rule in RULES.values())


def test_the_parser_knows_the_tag_of_every_rule() -> None:
    assert {rule.tag for rule in RULES.values()} - {None} == set(REASONING_TAGS)


def test_reasoning_is_asked_for_in_a_tag_or_not_at_all() -> None:
    assert {rule.tag for rule in RULES.values() if rule.is_asked_for} == {"reason"}
    assert [kind for kind, rule in RULES.items() if rule.kind is not kind] == []
