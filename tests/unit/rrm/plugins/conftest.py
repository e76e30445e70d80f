"""Files of a user: written into a folder of their own, on the path while a test runs."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

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
