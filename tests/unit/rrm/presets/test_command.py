"""`rrm presets`: what is printed, against golden files.

Regenerate with `UPDATE_GOLDEN=1 pytest tests/unit/rrm/presets/test_command.py` and review the difference.
"""

import os
from pathlib import Path

import pytest

from rrm.cli.presets import Action, presets
from rrm.errors import InvalidSpec
from rrm.presets import PRESETS

GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "presets"


@pytest.mark.parametrize(
    ("action", "names", "golden"),
    [
        ("list", [], "list.txt"),
        *(("show", [name], f"show-{name}.txt") for name in PRESETS),
        ("diff", ["pointwise-v1", "pointwise-v1-32b"], "diff-size.txt"),
        ("diff", ["rm-gallery-pairwise-v0.1", "openjudge-pairwise"], "diff-published.txt"),
        ("diff", ["pointwise-v1", "rm-r1-pairwise"], "diff-method.txt"),
        ("diff", ["rm-gallery-pointwise-v0.1", "openjudge-pointwise"], "diff-none.txt"),
    ],
)
def test_a_preset_is_printed_as_reviewed(
    action: str, names: list[str], golden: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert presets(Action(action), names) == 0
    text = capsys.readouterr().out
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / golden).write_text(text)
    assert text == (GOLDEN / golden).read_text()


@pytest.mark.parametrize(
    ("action", "names", "words"),
    [
        (Action.SHOW, [], "expected 1 names of presets, found 0; use `rrm presets`"),
        (Action.DIFF, ["pointwise-v1"], "expected 2 names of presets, found 1"),
        (Action.LIST, ["pointwise-v1"], "expected 0 names of presets, found 1"),
        (Action.SHOW, ["pointwise-v9"], "preset pointwise-v9: there is none of that name; known presets: p"),
    ],
)
def test_wrong_names_are_refused_with_those_that_exist(action: Action, names: list[str], words: str) -> None:
    with pytest.raises(InvalidSpec, match=words):
        presets(action, names)


def test_a_difference_names_exactly_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    presets(Action.DIFF, ["rm-gallery-pairwise-v0.1", "openjudge-pairwise"])
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[:3] for row in rows] == [
        ["model_parameters", "14768307200", "8190735360"],
        ["epochs", "10", "30"],
        ["evaluate_every_steps", "2", "4"],
    ]
