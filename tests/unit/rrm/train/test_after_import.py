"""The finder that changes one module right after its first import, and no other."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rrm.train.cpu.shims import AfterImport


@pytest.fixture
def module_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "late_one.py").write_text("value = 1\ndef read(): return value\n")
    (tmp_path / "other_one.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    yield tmp_path
    sys.meta_path[:] = before
    for name in ("late_one", "other_one"):
        sys.modules.pop(name, None)


def change(module: ModuleType) -> None:
    module.value = 2  # type: ignore[attr-defined]


@pytest.mark.usefixtures("module_folder")
def test_only_the_named_module_is_changed_and_only_once() -> None:
    finder = AfterImport("late_one", change)
    sys.meta_path.insert(0, finder)
    assert importlib.import_module("other_one").value == 1
    assert importlib.import_module("late_one").read() == 2
    assert finder not in sys.meta_path


@pytest.mark.usefixtures("module_folder")
def test_a_module_that_is_not_installed_stays_missing() -> None:
    sys.meta_path.insert(0, AfterImport("no_such_module_at_all", change))
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module_at_all")
