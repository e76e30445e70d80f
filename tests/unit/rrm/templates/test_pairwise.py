"""Pairwise prompts: golden texts, both orders, and what they are read back as."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.reasoning import RULES
from rrm.sample import ChatMessage, DataSample, Judged, Speaker
from rrm.templates import Template
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.verdict import ParseFailure, Verdict
from rrm_api.spec_data import Example
from rrm_api.spec_train import Reasoning

GOLDEN = Path(__file__).parents[3] / "golden/prompts"
DIALOGUE = (
    ChatMessage(role=Speaker.SYSTEM, content="Be brief."),
    ChatMessage(content="c#"),
    ChatMessage(role=Speaker.ASSISTANT, content="A language."),
    ChatMessage(content="Show me"),
)
EXAMPLES = (
    Example(question="1 + 1?", answers=["3", "2"], reasoning="One and one is two.", verdict="B"),
    Example(question="2 + 2?", answers=["4", "Four."], verdict="tie"),
)
GOLDENS: dict[str, tuple[str, dict[str, Any], tuple[ChatMessage, ...]]] = {
    "none": ("None", {}, ()),
    "none-dialogue": ("None", {}, DIALOGUE),
    "none-examples": ("None", {"examples": EXAMPLES}, ()),
    "native": ("Native", {"label": "instruction_following", "rubrics": ("Is it right?", "Is it short?")}, ()),
    "native-examples": ("Native", {"examples": EXAMPLES}, ()),
    "prompted": ("Prompted", {"task": "Which answer is shorter?", "label": "verbosity"}, ()),
    "prompted-dialogue": ("Prompted", {}, DIALOGUE),
    "prompted-examples": ("Prompted", {"examples": EXAMPLES}, ()),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_prompts_are_the_reviewed_ones(
    name: str, make_template: Callable[..., Template], make_sample: Callable[..., DataSample]
) -> None:
    """Written anew with UPDATE_GOLDEN=1, and then reviewed as product output."""
    kind, fields, turns = GOLDENS[name]
    (message,) = make_template("Pairwise", kind, **fields).format(make_sample(["2", "Two."], *turns))
    assert message["role"] == "user"
    path = GOLDEN / f"pairwise-{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(message["content"] + "\n", encoding="utf-8")
    assert message["content"] + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["None", "Native", "Prompted"])
def test_the_other_order_differs_in_the_answers_alone(
    kind: str, make_template: Callable[..., Template], make_sample: Callable[..., DataSample]
) -> None:
    template = make_template("Pairwise", kind)
    judged = Judged(make_sample(["one", "two"], "Which?"), label=-1)
    there, back = (template.format(pair.sample)[0]["content"] for pair in (judged, judged.swapped()))
    assert there != back
    assert template.format(judged.swapped().swapped().sample)[0]["content"] == there
    # The mark is a hash of the judged text, in its order.
    assert sorted(there.replace("one", "two").split()[:8]) == sorted(back.replace("one", "two").split()[:8])


@pytest.mark.parametrize("answers", [["only"], ["one", "two", "three"], []], ids=len)
def test_a_pair_has_two_answers(
    answers: list[str], make_template: Callable[..., Template], make_sample: Callable[..., DataSample]
) -> None:
    with pytest.raises(ValueError, match=f"sample x: .* two answers, found {len(answers)}"):
        make_template("Pairwise", "None").format(make_sample(answers))


@pytest.mark.parametrize("tag", ["better", "preference", "score"])
@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (form.format(name), value)
        for name, value in (("A", -1), ("B", 1))
        for form in ("{}", "Answer {}", "Response {}")
    ]
    + [(word, 0) for word in ("tie", "equal", "same")],
)
def test_the_normal_forms_are_read_in_any_case_and_any_tag(tag: str, said: str, verdict: int) -> None:
    template = PairwiseTemplate(RULES[Reasoning.NONE])
    for text in (said, said.upper(), said.lower(), f" {said}\n"):
        assert template.parse(f"<{tag}>{text}</{tag}>") == Verdict(verdict)
        assert template.parse(f"<{tag.upper()}>{text}</{tag.title()}>") == Verdict(verdict)


@given(st.text(), st.sampled_from(list(Reasoning)[1:]), st.booleans())
def test_parsing_never_raises_and_stays_on_the_scale(text: str, kind: Reasoning, is_cut: bool) -> None:
    for wrapped in (text, f"<better>{text}</better>", f"</think>{text}<better>tie</better>"):
        read = PairwiseTemplate(RULES[kind]).parse(wrapped, is_cut=is_cut)
        assert isinstance(read, ParseFailure) or read.score in (-1, 0, 1)
