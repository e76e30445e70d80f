"""The shape of the code: short files, short functions, no catch-all rooms, and import rules that bite."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("crds", "operator/rrm_operator", "rrm", "trainer_image", "tests/cluster/rrm_test_cluster")
FILES = sorted(path for room in PRODUCT for path in (ROOT / room).rglob("*.py"))
FILES_AND_TESTS = sorted({*FILES, *(ROOT / "tests").rglob("*.py")})
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
CATCH_ALL_NAMES = {"utils.py", "helpers.py", "common.py", "manager.py"}
PROCESS_EDGES = {
    "operator/rrm_operator/handlers.py",
    "operator/rrm_operator/watching.py",  # the same edge: where kopf's own thread ends
    "rrm/plugins/contained.py",  # the edge to the user's code: whatever a plug-in raises becomes a value
    "rrm/reporting.py",  # every `rrm` command ends here with a record
    "rrm/train/__main__.py",
}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_there_is_code_to_judge() -> None:
    assert len(FILES) > 50


def test_files_stay_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in FILES_AND_TESTS
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in FILES
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_no_file_is_named_after_nothing() -> None:
    assert [str(path) for path in FILES if path.name in CATCH_ALL_NAMES] == []


def tidies_up_and_raises(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {it.id if isinstance(it, ast.Name) else getattr(it, "attr", None) for it in caught}
    return handler.type is None or not names.isdisjoint(BROAD)


@pytest.mark.parametrize(
    ("clause", "is_broad"),
    [
        ("except:", True),
        ("except Exception:", True),
        ("except (ValueError, BaseException) as error:", True),
        ("except (Exception, SystemExit):", True),
        ("except builtins.Exception:", True),
        ("except ValueError:", False),
        ("except (OSError, SystemExit):", False),
    ],
)
def test_the_rule_knows_a_broad_clause_however_it_is_written(clause: str, is_broad: bool) -> None:
    (handler,) = (
        it for it in ast.walk(ast.parse(f"try: pass\n{clause} pass")) if isinstance(it, ast.ExceptHandler)
    )
    assert catches_everything(handler) is is_broad


def test_every_process_edge_still_catches_everything() -> None:
    """An exception to the rule that nothing needs any more would hide the next broad clause."""
    idle = [
        name
        for name in PROCESS_EDGES
        if not any(
            isinstance(node, ast.ExceptHandler) and catches_everything(node)
            for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        )
    ]
    assert idle == []


def test_only_the_process_edges_catch_everything() -> None:
    broad = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and catches_everything(node)
        and not tidies_up_and_raises(node)
        and str(path.relative_to(ROOT)) not in PROCESS_EDGES
    ]
    assert broad == []


BROAD = {"Exception", "BaseException"}


def test_the_operator_folder_is_no_package() -> None:
    """A top-level package named `operator` would shadow Python's own."""
    assert not (ROOT / "operator/__init__.py").exists()


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", str(config), "--no-cache"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_every_room_keeps_to_what_it_may_know() -> None:
    done = lint_imports(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("room", ["rrm_api", "rrm_operator.reconcile"])
def test_the_import_rule_fails_when_it_is_broken(room: str, tmp_path: Path) -> None:
    """Forbid something the room really imports: the linter must see it."""
    seen = {"rrm_api": "pydantic", "rrm_operator.reconcile": "rrm_api"}[room]
    config = tmp_path / "rules.toml"
    config.write_text(
        "[tool.importlinter]\nroot_packages = ['rrm_api', 'rrm_operator', 'rrm']\n"
        "include_external_packages = true\n[[tool.importlinter.contracts]]\nname = 'broken on purpose'\n"
        f"type = 'forbidden'\nsource_modules = ['{room}']\nforbidden_modules = ['{seen}']\n",
        encoding="utf-8",
    )
    done = lint_imports(config)
    assert done.returncode == 1
    assert "broken on purpose BROKEN" in done.stdout
