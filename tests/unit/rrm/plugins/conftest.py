"""Files of a user: written into a folder of their own, on the path while a test runs."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from rrm.cli import main

Check = Callable[..., tuple[int, str]]
WriteModule = Callable[..., str]


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    """Write a module of the user and return its name; it is forgotten afterwards."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    names: list[str] = []

    def write(text: str, *, name: str = "") -> str:
        name = name or f"of_the_user_{len(names)}_{abs(hash(tmp_path))}"
        (folder / f"{name}.py").write_text(dedent(text))
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Write a file of the user, check it, and return exit code and output in one line."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "400")

    def run(text: str, *options: str, name: str = "") -> tuple[int, str]:
        name = name or f"own_{abs(hash(text))}.py"
        (tmp_path / name).write_text(dedent(text))
        code = main(["check", str(tmp_path / name), *options])
        printed = capsys.readouterr()
        return code, " ".join((printed.out + printed.err).split())

    return run
