"""RM-Gallery's and OpenJudge's code against ours, on the same rows, in one process, turn by turn.

Prints a table of medians of CPU time and of the ratio over the rounds, with its quartiles; asserts no time,
only that both sides gave the same token ids (in the script). About two minutes, once their environment is
made.
"""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

pytestmark = pytest.mark.bench
INTEROP = Path(__file__).parents[1] / "interop"
ROUNDS = 15
ROWS = 200


def interop() -> ModuleType:
    """Return what makes their environment; tests are no package to import from."""
    spec = importlib.util.spec_from_file_location("interop_environment", INTEROP / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table_of(measured: dict[str, dict[str, float]]) -> Table:
    table = Table(title=f"RM-Gallery 0.1.7 and OpenJudge 0.2.4 against ours, {ROUNDS} rounds")
    for heading in ("", "theirs, us", "ours, us", "theirs / ours", "quartiles"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, found in measured.items():
        times = (f"{found[side] * 1e6:.1f}" for side in ("theirs", "ours"))
        quartiles = f"{found['low']:.2f} to {found['high']:.2f}"
        table.add_row(name, *times, f"{found['ratio']:.2f}", quartiles)
    return table


def test_their_code_and_ours_on_the_same_rows(tmp_path: Path) -> None:
    module = interop()
    scratch, tokenizer, folder = (tmp_path / name for name in ("questions", "tokenizer", "files"))
    for place in (scratch, tokenizer, folder):
        place.mkdir()
    upstream = module.Upstream(module.environment() / "bin" / "python", scratch)
    upstream.run("make_tokenizer", folder=str(tokenizer), rows=str(module.ROWS))
    rows: list[Any] = [json.loads(line) for line in module.ROWS.read_text("utf-8").splitlines()][:ROWS]
    measured = upstream.run("speed", rows=rows, rounds=ROUNDS, folder=str(folder), tokenizer=str(tokenizer))
    Console().print(table_of(measured))
    assert all(found["theirs"] > 0 and found["ours"] > 0 for found in measured.values())
