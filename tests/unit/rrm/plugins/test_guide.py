"""The guide's examples are code: each is checked as a user would check it."""

import re
import sys
from pathlib import Path

import pytest

from rrm.cli import main
from rrm_api.run import ExitCode

ROOT = Path(__file__).parents[4]
GUIDE = (ROOT / "docs/guides/own-plugins.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
OWN = [block for block in BLOCKS if "cookbooks" not in block]
ROW = '{"id": "1", "question": "q", "reply": "r", "stars": 3}\n'


def test_the_guide_has_a_reward_a_template_and_a_converter() -> None:
    assert len(OWN) == 3


@pytest.mark.parametrize("number", range(len(OWN)))
def test_an_example_of_the_guide_has_nothing_to_object_to(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    plugin, rows = tmp_path / f"of_the_guide_{number}.py", tmp_path / "rows.jsonl"
    plugin.write_text(OWN[number])
    rows.write_text(ROW)
    is_converter = "def convert" in OWN[number]
    own_rows = ["--rows", str(rows), "--format", "custom", "--label", "rating"] if is_converter else []
    assert main(["check", str(plugin), *own_rows]) == ExitCode.DONE
    assert "nothing to object to" in " ".join(capsys.readouterr().out.split())


def test_the_wrapper_for_openjudge_compiles() -> None:
    (wrapper,) = set(BLOCKS) - set(OWN)
    compile(wrapper, "wrapper", "exec")
