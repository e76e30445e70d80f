"""`rrm convert`: files and folders in, one file out, and every refused row accounted for."""

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from rrm.cli.convert import convert
from rrm.data.files import read_file
from rrm.datasets import data_sample
from rrm.errors import DataInvalid, InvalidSpec, PluginFailed, VolumeUnavailable

Command = Callable[..., Any]


@pytest.fixture
def run() -> Command:
    """Return a runner of the command; errors of ours come out as they are."""
    app = typer.Typer()
    app.command()(convert)

    def call(*arguments: Any) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return call


def written(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ids(path: Path) -> list[str]:
    return [
        s.unique_id for row in read_file(path, "test", path.name) for s in data_sample.convert(row.values)
    ]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_file_becomes_samples(kind: str, run: Command, tmp_path: Path, lines: Any) -> None:
    rows = written(tmp_path / "rows.jsonl", lines("formats/helpsteer2_pairwise.jsonl"))
    done = run(rows, tmp_path / f"out.{kind}", "--format", "helpsteer2_pairwise", "--split", "val")
    assert done.return_value == 0
    assert done.stdout == f"wrote 4 samples of 2 rows to {tmp_path / f'out.{kind}'}\n"
    assert len(set(ids(tmp_path / f"out.{kind}"))) == 4
    assert {row.values["split"] for row in read_file(tmp_path / f"out.{kind}", "test", "out")} == {"val"}


def test_a_folder_with_several_files_loses_none(run: Command, tmp_path: Path) -> None:
    """The seed exports each file of a folder under the same name, so that all but the last are lost."""
    for name in ("a", "b", "deeper/c"):
        written(tmp_path / f"in/{name}.jsonl", [{"prompt": name, "response": "x"}])
    packed = tmp_path / "in/d.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"prompt": "d", "response": "x"}\n'))
    run(
        tmp_path / "in",
        written(tmp_path / "e.jsonl", [{"prompt": "e", "response": "x"}]),
        tmp_path / "out.jsonl",
        "--format",
        "generic",
    )
    assert len(ids(tmp_path / "out.jsonl")) == 5


def test_refused_rows_are_counted_with_an_example(run: Command, tmp_path: Path, lines: Any) -> None:
    rows = written(tmp_path / "rows.jsonl", lines("pandalm/testset-v1.jsonl"))
    done = run(rows, tmp_path / "out.jsonl", "--format", "pandalm", "--max-invalid", "0.3")
    said = done.stdout.splitlines()
    assert said[0].startswith("wrote 36 samples of 48 rows")
    assert f"refused 1: empty instruction; the first is {tmp_path}, file rows.jsonl, line" in done.stdout
    assert sum(int(line.split()[1].rstrip(":")) for line in said[1:]) == 12


def test_too_many_refused_rows_write_nothing(run: Command, tmp_path: Path, lines: Any) -> None:
    rows = written(tmp_path / "rows.jsonl", lines("pandalm/testset-v1.jsonl"))
    with pytest.raises(DataInvalid, match=r"12 of 48 rows are refused, --max-invalid allows 0\.01"):
        run(rows, tmp_path / "out.parquet", "--format", "pandalm")
    assert [file.name for file in tmp_path.iterdir()] == ["rows.jsonl"]


def test_rows_that_are_all_refused_write_nothing(run: Command, tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", [{"prompt": "q"}])
    with pytest.raises(DataInvalid, match="1 of 1 rows are refused"):
        run(rows, tmp_path / "out.jsonl", "--format", "llmbar", "--max-invalid", "1")


def test_a_broken_line_is_named_and_nothing_is_written(run: Command, tmp_path: Path) -> None:
    """The seed appends None for such a line, which kills its whole load later on."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "q", "response": "a"}\n{"prompt": \n')
    with pytest.raises(DataInvalid, match="line 2: expected valid JSON"):
        run(rows, tmp_path / "out.jsonl", "--format", "generic")
    assert not (tmp_path / "out.jsonl").exists()


def test_a_label_is_taken_from_its_column(run: Command, tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", [{"prompt": "q", "response": "a", "stars": 4}])
    run(rows, tmp_path / "out.jsonl", "--format", "generic", "--label", "stars")
    (row,) = read_file(tmp_path / "out.jsonl", "test", "out.jsonl")
    assert row.values["output"][0]["answer"]["label"] == {"stars": 4}


def test_a_users_converter_is_called(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_conversion.py").write_text(
        "def f(row): return {'unique_id': row['q'], 'input': [{'content': row['q']}], 'output': []}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = written(tmp_path / "in/rows.jsonl", [{"q": "hello"}])
    run(rows, tmp_path / "out.jsonl", "--format", "custom", "--entry-point", "own_conversion:f")
    assert ids(tmp_path / "out.jsonl") == ["hello"]
    sys.modules.pop("own_conversion")
    with pytest.raises(PluginFailed):
        run(rows, tmp_path / "out.jsonl", "--format", "custom", "--entry-point", "own_conversion:g")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "custom"], "entryPoint names the converter of the format custom"),
        (["--format", "llmbar", "--entry-point", "a:b"], "entryPoint names the converter"),
        (["--format", "generic", "--label", "9"], "label: String should match pattern"),
        (["--format", "judgebench", "--label", "fun"], "expected a label of the format judgebench"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], words: str, run: Command, tmp_path: Path
) -> None:
    rows = written(tmp_path / "rows.jsonl", [{"prompt": "q", "response": "a"}])
    with pytest.raises(InvalidSpec, match=words):
        run(rows, tmp_path / "out.jsonl", *options)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nowhere.jsonl", "expected a file of rows, or a folder of such files, found nothing of that name"),
        ("empty", "found a folder without any"),
        ("notes.txt", r"expected a file that ends in \.json.*, found notes.txt"),
    ],
)
def test_what_cannot_be_read_is_said(given: str, words: str, run: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataInvalid, match=words):
        run(tmp_path / given, tmp_path / "out.jsonl", "--format", "generic")


def test_hidden_folders_are_passed_over_as_in_a_claim(run: Command, tmp_path: Path, lines: Any) -> None:
    rows = lines("formats/generic.jsonl")
    written(tmp_path / "in/rows.jsonl", rows)
    written(tmp_path / "in/.cache/rows.jsonl", ["no row at all"])
    assert run(tmp_path / "in", tmp_path / "out.jsonl", "--format", "generic").return_value == 0
    assert len(ids(tmp_path / "out.jsonl")) == len(rows)


def test_what_the_disk_refuses_is_said_and_leaves_nothing(run: Command, tmp_path: Path, lines: Any) -> None:
    rows = written(tmp_path / "rows.jsonl", lines("formats/generic.jsonl"))
    (tmp_path / "out.jsonl").mkdir()
    with pytest.raises(VolumeUnavailable, match=r"out.jsonl: expected .* nothing was written"):
        run(rows, tmp_path / "out.jsonl", "--format", "generic")
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", "out.jsonl"}


def test_an_input_is_not_overwritten(run: Command, tmp_path: Path) -> None:
    rows = written(tmp_path / "in/rows.jsonl", [{"prompt": "q", "response": "a"}])
    with pytest.raises(InvalidSpec, match="found one of the inputs"):
        run(tmp_path / "in", rows, "--format", "generic")
    assert len(list(read_file(rows, "test", "rows.jsonl"))) == 1
