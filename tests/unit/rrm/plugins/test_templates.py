"""Template classes in RM-Gallery's form: what they are told, and how their answers are read."""

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from rrm.errors import PluginFailed
from rrm.plugins.templates import GuardedTemplate, adapt_template, thinking_argument
from rrm.reasoning import RULES
from rrm.sample import DataSample
from rrm.scales import PREFERENCE, Scale
from rrm.templates import Message
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict
from rrm_api.spec_data import Example

SCALE = Scale(0, 4)
ONE = {"answer": {"content": "one", "label": {"h": 1}}}
TWO = {"answer": {"content": "two"}}


def sample(*output: Any, **changed: Any) -> DataSample:
    fields = {"unique_id": "s1", "input": [{"content": "Hi"}], "output": output or (ONE,)}
    return DataSample.model_validate({**fields, **changed})


class Seen(BaseModel):
    """Remembers what it is told."""

    told: ClassVar[dict[str, Any]] = {}
    score: Any = None
    preference: Any = None
    best: Any = None

    @classmethod
    def schema(cls, enable_thinking: bool = False, **_: Any) -> str:  # type: ignore[override]
        return "<score>" if enable_thinking else "<reason>"

    @classmethod
    def format(cls, **kwargs: Any) -> Any:
        cls.told.clear()
        cls.told.update(kwargs)
        return "prompt"

    @classmethod
    def parse(cls, text: str) -> "Seen":
        name, _, value = text.partition("=")
        return cls(**{name: eval(value)})


def adapted(cls: Any = Seen, scale: Scale = SCALE, kind: str = "Native", **given: Any) -> Any:
    return adapt_template(cls, scale=scale, reasoning=RULES[kind], **given)


def test_a_class_is_told_what_rm_gallery_tells_it() -> None:
    example = Example(question="q", answers=["a"], reasoning="r", verdict="3")
    template = adapted(task="Judge.", rubrics=("Right", "Short"), examples=(example,))
    assert template.format(sample()) == [{"role": "user", "content": "prompt"}]
    assert Seen.told == {
        "desc": "Judge.",
        "scenario": "",
        "rubrics": "1. Right\n2. Short\n",
        "examples": "Query: q\nAnswer: a\nReason: r\nVerdict: 3",
        "query": "<user>Hi</user>",
        "context": "",
        "answer": "one",
        "enable_thinking": True,
    }


def test_a_pair_is_told_as_a_list_and_the_whole_conversation_with_its_context() -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi", "additional_kwargs": {"context": "c"}},
    ]
    adapted(scale=PREFERENCE).format(sample(ONE, TWO, input=turns))
    assert Seen.told["answers"] == ["one", "two"]
    assert Seen.told["query"] == "<system>Be kind.</system>\n<user>Hi</user>"
    assert Seen.told["context"] == "c"
    assert "answer" not in Seen.told
    assert "better" in Seen.told["desc"]


def test_a_class_without_further_keywords_is_told_only_what_it_asks_for() -> None:
    class Few(Seen):
        @classmethod
        def format(cls, desc: str, answer: str) -> str:  # type: ignore[override]
            return f"{desc} {answer}"

    assert adapted(Few, task="T").format(sample())[0]["content"] == "T one"


def test_messages_that_a_class_wrote_itself_are_passed_on() -> None:
    class Two(Seen):
        @classmethod
        def format(cls, **_: Any) -> Any:
            return [{"role": "system", "content": "s"}, {"content": "u"}]

    assert adapted(Two).format(sample()) == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
    ]


@pytest.mark.parametrize("returned", [None, 3, [], ["text"], [{"role": "user"}]])
def test_what_is_no_prompt_is_refused_with_the_sample(returned: Any) -> None:
    class Odd(Seen):
        @classmethod
        def format(cls, **_: Any) -> Any:
            return returned

    with pytest.raises(PluginFailed, match=r"Odd\.format, sample s1: expected a text or a list of messages"):
        adapted(Odd).format(sample())


def test_a_format_that_raises_names_sample_and_line() -> None:
    class Broken(Seen):
        @classmethod
        def format(cls, **kwargs: Any) -> Any:
            return kwargs["nothing"]

    with pytest.raises(PluginFailed, match=r"sample s1: KeyError: 'nothing' \(.*test_templates\.py:\d+\)"):
        adapted(Broken).format(sample())


@pytest.mark.parametrize(
    ("asks_when", "native", "prompted", "none"),
    [
        (False, True, False, True),  # RM-Gallery 0.1.7
        (True, False, True, False),  # as the guide tells
        (None, False, True, True),  # the argument means nothing: what the guide tells
    ],
)
def test_exactly_one_source_of_reasoning_whatever_the_argument_means(
    asks_when: bool | None, native: bool, prompted: bool, none: bool
) -> None:
    class Template(Seen):
        @classmethod
        def schema(cls, enable_thinking: bool = False, **_: Any) -> str:  # type: ignore[override]
            return "<think>" if enable_thinking is asks_when else "<score>"

    found = [thinking_argument(Template, RULES[kind]) for kind in ("Native", "Prompted", "None")]
    assert found == [native, prompted, none]


def test_a_class_without_a_schema_is_told_what_the_guide_tells() -> None:
    class Bare:
        @classmethod
        def format(cls, **_: Any) -> str:
            return ""

        @classmethod
        def parse(cls, text: str) -> Any:
            return None

    assert [thinking_argument(Bare, RULES[kind]) for kind in ("Native", "Prompted")] == [False, True]
    assert adapted(Bare).parse("x") == ParseFailure(FailureKind.MISSING)


@pytest.mark.parametrize("thing", [int, object(), str.format, type("T", (), {"format": lambda: 1})])
def test_what_has_no_class_methods_is_refused(thing: Any) -> None:
    with pytest.raises(PluginFailed, match="expected the class methods format and parse"):
        adapted(thing)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("score=3", 3),
        ("score=0", 0),
        ("score=3.0", 3),
        ("score=True", 1),
        ("score=3.5", FailureKind.NOT_INTEGER),
        ("score=float('nan')", FailureKind.NOT_INTEGER),
        ("score=float('inf')", FailureKind.NOT_INTEGER),
        ("score=[1]", FailureKind.NOT_INTEGER),
        ("score=5", FailureKind.OUT_OF_RANGE),
        ("score=-1", FailureKind.OUT_OF_RANGE),
        ("score=None", FailureKind.MISSING),
        ("nothing", FailureKind.MISSING),
        ("score=int('x')", FailureKind.NOT_INTEGER),
    ],
)
def test_scores_are_read_strictly_whatever_the_class_lets_through(text: str, expected: Any) -> None:
    found = adapted().parse(text)
    assert found == (ParseFailure(expected) if isinstance(expected, FailureKind) else Verdict(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("preference='A'", -1),
        ("preference=' response b '", 1),
        ("preference='tie'", 0),
        ("preference='Equal'", 0),
        ("preference='BOTH'", FailureKind.AMBIGUOUS),
        ("best=1", -1),
        ("best=2", 1),
        ("best=3", FailureKind.OUT_OF_RANGE),
        ("best='first'", FailureKind.NOT_INTEGER),
    ],
)
def test_preferences_are_read_on_our_scale(text: str, expected: Any) -> None:
    found = adapted(scale=PREFERENCE).parse(text)
    assert found == (ParseFailure(expected) if isinstance(expected, FailureKind) else Verdict(expected))


@given(st.text(), st.booleans())
def test_no_text_crashes_the_reading(text: str, is_cut: bool) -> None:
    class Raises(Seen):
        @classmethod
        def parse(cls, text: str) -> "Seen":
            raise SystemExit(text)

    expected = FailureKind.TRUNCATED if is_cut else FailureKind.MISSING
    assert adapted(Raises).parse(text, is_cut=is_cut) == ParseFailure(expected)


class Own:
    """A template in our own form."""

    def __init__(self, read: Any) -> None:
        self._read = read

    def format(self, sample: DataSample) -> list[Message]:
        return [Message(role="user", content=f"{self._read[0]}")]

    def parse(self, text: str, *, is_cut: bool = False) -> Any:
        return self._read()


def test_a_template_of_ours_is_passed_through_and_its_faults_are_unreadable_answers() -> None:
    assert GuardedTemplate(Own(lambda: Verdict(2))).parse("x") == Verdict(2)
    assert GuardedTemplate(Own(lambda: 1 / 0)).parse("x") == ParseFailure(FailureKind.MISSING)
    cut = GuardedTemplate(Own(lambda: "text")).parse("x", is_cut=True)
    assert cut == ParseFailure(FailureKind.TRUNCATED)
    assert GuardedTemplate(Own(["p"])).format(sample()) == [{"role": "user", "content": "p"}]
    with pytest.raises(PluginFailed, match=r"Own\.format, s1: TypeError"):
        GuardedTemplate(Own(None)).format(sample())
