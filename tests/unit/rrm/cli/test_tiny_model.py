"""`rrm tiny-model DIR` replaces a model, and nothing else that may be there."""

from pathlib import Path

import pytest

from rrm.cli import main


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = tmp_path / "demo"
    (claim / "helpsteer2").mkdir(parents=True)
    assert main(["tiny-model", str(claim), "--claims", str(tmp_path)]) == 11
    assert (claim / "helpsteer2").is_dir()
    error = capsys.readouterr().err
    assert "found helpsteer2" in error
    assert str(claim / "model") in error


def test_a_file_is_refused_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").write_text("mine")
    assert main(["tiny-model", str(tmp_path / "notes")]) == 11
    assert "found a file" in capsys.readouterr().err
    assert (tmp_path / "notes").read_text() == "mine"
