"""Which template a training gets: the method's, with everything the spec says, or the user's own."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from rrm.errors import InvalidSpec, PluginFailed
from rrm.plugins.templates import GuardedTemplate
from rrm.reasoning import RULES, ReasoningRule
from rrm.sample import DataSample
from rrm.scales import PREFERENCE, Scale
from rrm.templates import Message, Template, choose
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict
from rrm_api.run import Intent
from rrm_api.spec_data import Example
from rrm_api.spec_train import Reasoning

RULE = RULES[Reasoning.PROMPTED]
SCALE = Scale(1, 5)
EXAMPLE = {"question": "1 + 1?", "answers": ["2"], "verdict": "5"}
PAIR = {"question": "1 + 1?", "answers": ["2", "3"], "verdict": "A"}


class Plain:
    def format(self, sample: DataSample) -> list[Message]:
        return [Message(role="user", content="?")]

    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        return Verdict(1)


@dataclass(frozen=True)
class Asking(Plain):
    scale: Scale
    reasoning: ReasoningRule
    rubrics: tuple[str, ...] = ()


class TakesAll(Plain):
    def __init__(self, **given: Any) -> None:
        self.given = given


class AsksForMore(Plain):
    def __init__(self, weather: str) -> None:
        self.weather = weather


class Bursts(Plain):
    def __init__(self, label: str, scale: Scale) -> None:
        raise RuntimeError("out of luck")


class CannotRead(Plain):
    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        return Verdict(int(text))


class FailsLater(Plain):
    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        return Verdict(1 // 0) if text else Verdict(1)


class ReadsNumbers(Plain):
    def parse(self, text: str, *, is_cut: bool = False) -> Any:
        return 3


class BasePromptTemplate:
    """Upstream's class, as far as it matters here."""

    score: int

    @classmethod
    def schema(cls, enable_thinking: bool = False) -> str:
        return "" if enable_thinking else "<reason>why</reason>"

    @classmethod
    def format(cls, **said: Any) -> str:
        return "{desc}|{rubrics}|{examples}|{query}|{answer}|{enable_thinking}".format(**said)

    @classmethod
    def parse(cls, text: str) -> "BasePromptTemplate":
        read = cls()
        read.score = int(text)
        return read


class Upstreams(BasePromptTemplate):
    pass


class Neither:
    pass


class NoParse:
    format = Plain.format


@pytest.fixture
def plugin() -> Iterator[None]:
    """A module `own_templates` with the classes above."""
    module = ModuleType("own_templates")
    own = (
        Plain,
        Asking,
        TakesAll,
        AsksForMore,
        Bursts,
        CannotRead,
        ReadsNumbers,
        NoParse,
        Neither,
        Upstreams,
        FailsLater,
    )
    vars(module).update({each.__name__: each for each in own} | {"number": 3})
    sys.modules["own_templates"] = module
    yield
    del sys.modules["own_templates"]


def chosen(intent: Intent, label: str = "helpfulness") -> Template:
    return choose.template_for(
        intent, label=label, scale=SCALE, reasoning=RULE, special_tokens=("<|im_end|>",)
    )


def test_pointwise_gets_everything_the_spec_says(make_intent: Callable[..., Intent]) -> None:
    said = {"task": "Rate it.", "rubrics": ["Is it short?"], "examples": [EXAMPLE]}
    assert chosen(make_intent(template=said)) == PointwiseTemplate(
        label="helpfulness",
        scale=SCALE,
        reasoning=RULE,
        task="Rate it.",
        rubrics=("Is it short?",),
        examples=(Example.model_validate(EXAMPLE),),
        special_tokens=("<|im_end|>",),
    )


@pytest.mark.parametrize(
    ("label", "named"), [("verbosity", "verbosity"), ("preference", None), ("overall_score", None)]
)
def test_pairwise_compares_by_a_label_that_names_an_attribute(
    label: str, named: str | None, make_intent: Callable[..., Intent]
) -> None:
    intent = make_intent(method="Pairwise", reward={"pairwise": {}}, template={"examples": [PAIR]})
    assert chosen(intent, label) == PairwiseTemplate(
        reasoning=RULE,
        label=named,
        examples=(Example.model_validate(PAIR),),
        special_tokens=("<|im_end|>",),
    )


@pytest.mark.parametrize(
    ("method", "example", "says"),
    [
        (
            "Pointwise",
            EXAMPLE | {"verdict": "6"},
            r"examples\[1\].verdict: .*<score>, found '6', .*out_of_range",
        ),
        ("Pointwise", EXAMPLE | {"verdict": "good"}, "found 'good', which reads as not_integer"),
        ("Pointwise", PAIR | {"verdict": "5"}, r"examples\[1\].answers: expected 1 for this method, found 2"),
        ("Pairwise", PAIR | {"verdict": "both"}, "<better>, found 'both', which reads as out_of_range"),
        (
            "Pairwise",
            EXAMPLE | {"verdict": "A"},
            r"examples\[1\].answers: expected 2 for this method, found 1",
        ),
    ],
)
def test_an_example_that_cannot_be_imitated_is_refused(
    method: str, example: dict[str, Any], says: str, make_intent: Callable[..., Intent]
) -> None:
    good = EXAMPLE if method == "Pointwise" else PAIR
    reward = {"linear": {}} if method == "Pointwise" else {"pairwise": {}}
    with pytest.raises(InvalidSpec, match=says):
        chosen(make_intent(method=method, reward=reward, template={"examples": [good, example]}))


def own(make_intent: Callable[..., Intent], name: str, **fields: Any) -> Any:
    said = {
        "entryPoint": f"own_templates:{name}",
        "task": "Rate it.",
        "rubrics": ["r"],
        "examples": [EXAMPLE],
    }
    template = chosen(make_intent(template=said, **fields))
    return template.template if isinstance(template, GuardedTemplate) else template


@pytest.mark.usefixtures("plugin")
def test_an_own_class_is_given_what_its_constructor_asks_for(make_intent: Callable[..., Intent]) -> None:
    assert isinstance(own(make_intent, "Plain"), Plain)
    assert own(make_intent, "Asking") == Asking(SCALE, RULE, ("r",))
    assert own(make_intent, "TakesAll").given == {
        "label": "helpfulness",
        "scale": SCALE,
        "reasoning": RULE,
        "task": "Rate it.",
        "rubrics": ("r",),
        "examples": (Example.model_validate(EXAMPLE),),
        "special_tokens": ("<|im_end|>",),
    }


@pytest.mark.usefixtures("plugin")
def test_an_own_class_for_pairs_is_given_the_scale_of_preferences(make_intent: Callable[..., Intent]) -> None:
    template = own(make_intent, "Asking", method="Pairwise", reward={"pairwise": {}})
    assert template.scale == PREFERENCE


@pytest.mark.usefixtures("plugin")
def test_a_template_written_for_upstream_is_adapted(
    make_intent: Callable[..., Intent], make_sample: Callable[..., DataSample]
) -> None:
    template = own(make_intent, "Upstreams")
    (message,) = template.format(make_sample(["2"], "1 + 1?"))
    shown = "Query: 1 + 1?\nAnswer: 2\nVerdict: 5"
    assert message["content"] == f"Rate it.|1. r\n|{shown}|<user>1 + 1?</user>|2|False"
    assert template.parse("5") == Verdict(5)
    assert template.parse("6") == ParseFailure(FailureKind.OUT_OF_RANGE)
    pairs = own(make_intent, "Upstreams", method="Pairwise", reward={"pairwise": {}})
    assert pairs.parse("-1") == Verdict(-1)


@pytest.mark.usefixtures("plugin")
def test_a_fault_of_an_own_class_is_an_unreadable_answer(make_intent: Callable[..., Intent]) -> None:
    template = chosen(make_intent(template={"entryPoint": "own_templates:FailsLater"}))
    assert template.parse("5") == ParseFailure(FailureKind.MISSING)


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("number", "expected a class with format and parse, found int"),
        ("NoParse", "found one without parse$"),
        ("Neither", "found one without format and parse$"),
        ("AsksForMore", "may ask for label, scale, .*; called with nothing it raised TypeError: .*weather"),
        ("Bursts", "called with label, scale it raised RuntimeError: out of luck"),
        ("CannotRead", "asked to read an empty answer, parse raised ValueError"),
        ("ReadsNumbers", "expected parse to return a Verdict or a ParseFailure .*, found int"),
        ("Absent", "own_templates has no Absent"),
    ],
)
def test_what_is_no_template_is_refused_by_name(
    name: str, says: str, make_intent: Callable[..., Intent]
) -> None:
    with pytest.raises(PluginFailed, match=f"spec.template.entryPoint own_templates:{name}.*{says}"):
        own(make_intent, name)
