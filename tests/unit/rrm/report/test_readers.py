"""Why an answer could not be read: told by the training's own template, never by running a user's code."""

import json
from pathlib import Path

import pytest

from rrm.report.answers import UNKNOWN, why_unread
from rrm.report.readers import IN_WORDS, reader_in, reader_of
from rrm.scales import Scale
from rrm.templates.verdict import FailureKind
from rrm_api.run import RunFile

SCALE = Scale(0, 4)


@pytest.mark.parametrize(
    ("answer", "is_cut", "kind"),
    [
        ("<think>a</think> It is a three.", False, FailureKind.MISSING),
        ("<think>and so on", True, FailureKind.TRUNCATED),
        ("<think>a</think><score>9</score>", False, FailureKind.OUT_OF_RANGE),
        ("<think>a</think><score>2.5</score>", False, FailureKind.NOT_INTEGER),
        ("<think>a</think><score><score>2</score>", False, FailureKind.AMBIGUOUS),
    ],
    ids=lambda value: str(value) if isinstance(value, FailureKind) else "",
)
def test_each_way_to_be_unreadable_has_its_words(
    recorded: Path, answer: str, is_cut: bool, kind: FailureKind
) -> None:
    assert reader_in(recorded, SCALE)(answer, is_cut) == IN_WORDS[kind]


def test_what_can_be_read_now_but_could_not_then_is_not_explained_away(recorded: Path) -> None:
    why = reader_in(recorded, SCALE)
    assert why("<think>a</think><score>2</score>", False) is None
    assert why_unread({"answer": "<think>a</think><score>2</score>", "truncated": False}, why) == UNKNOWN


def test_a_users_template_is_not_run_for_a_report(recorded: Path) -> None:
    document = json.loads((recorded / "attempt-2" / "run.json").read_text())
    document["intent"]["template"]["entryPoint"] = "no_such_module:Template"
    why = reader_of(RunFile.model_validate(document), SCALE)
    assert why("<score>9</score>", False) == UNKNOWN
    assert why("<score>", True) == IN_WORDS[FailureKind.TRUNCATED]


def test_a_spec_this_version_refuses_and_a_run_file_it_cannot_read_still_have_words(recorded: Path) -> None:
    document = json.loads((recorded / "attempt-2" / "run.json").read_text())
    document["intent"]["template"]["examples"] = [{"question": "q", "answers": ["a", "b"], "verdict": "3"}]
    assert reader_of(RunFile.model_validate(document), SCALE)("", False) == UNKNOWN
    for number in (1, 2):
        (recorded / f"attempt-{number}" / "run.json").write_text("{}")
    assert reader_in(recorded, SCALE)("", False) == UNKNOWN
