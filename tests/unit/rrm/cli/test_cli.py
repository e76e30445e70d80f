"""The command: help without weight, our exit codes, one record, one message."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rrm.cli import COMMANDS, main
from rrm.intent_file import read_intent
from rrm_api.run import Intent

TINY = Path(__file__).parents[4] / "crds/examples/tiny-cpu.yaml"
HEAVY = ("numpy", "pydantic", "pyarrow", "transformers", "datasets", "huggingface_hub", "torch", "scipy")


def test_every_command_of_the_table_exists() -> None:
    for name, command in COMMANDS.items():
        module, _, function = command.target.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), name


@pytest.mark.parametrize("statement", ["import rrm", "from rrm.cli import main; main(['--help'])"])
def test_import_and_help_load_nothing_heavy(statement: str) -> None:
    show = f"import sys; {statement}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown and command.help[:20] in shown for name, command in COMMANDS.items())


def test_without_arguments_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_a_command_has_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--help"]) == 0
    assert "--claims" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["prepare"], ["prepare", "x", "--nonsense"]], ids=str)
def test_wrong_arguments_are_a_configuration_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 11
    assert "rrm --help" in capsys.readouterr().err


def test_prepare_prints_plain_lines_a_table_and_the_end(
    demo_claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(TINY), "--volume", str(tmp_path), "--claims", str(demo_claims)]) == 0
    out = capsys.readouterr().out
    assert "read pvc://demo/helpsteer2/train.jsonl: 260 rows\n" in out
    assert "dropped: prompt too long" in out
    assert "floor: constant-2" in out
    assert out.endswith("Done DataPrepared: 252 training and 64 validation rows of 503 read, 24 steps\n")


def test_an_intent_and_its_training_prepare_the_same(demo_claims: Path, tmp_path: Path) -> None:
    intent, document = tmp_path / "intent.json", read_intent(TINY).manifest()
    intent.write_text(json.dumps(document))
    assert read_intent(intent) == read_intent(TINY)
    assert read_intent(intent).digest() == read_intent(TINY).digest()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["spec"]["workers"].update(nodes=0), "spec.workers.nodes: Input should be greater than"),
        (lambda m: m["spec"].update(nonsense=1), "spec.nonsense: Extra inputs are not permitted"),
        (
            lambda m: m["spec"]["reward"].update(linear={}),
            "spec.reward needs exactly one of",
        ),
        (lambda m: m["spec"].pop("model"), "spec.model: Field required"),
    ],
    ids=["no nodes", "unknown field", "two rewards", "no model"],
)
def test_a_wrong_training_is_refused_with_its_field(
    change: Callable[[dict[str, dict[str, dict[str, object]]]], object],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest = yaml.safe_load(TINY.read_text())
    change(manifest)
    path = tmp_path / "training.yaml"
    path.write_text(yaml.safe_dump(manifest))
    assert main(["prepare", str(path), "--volume", str(tmp_path / "v")]) == 11
    error = capsys.readouterr().err
    assert error.startswith("Failed InvalidSpec: ")
    assert words in error


def test_a_task_in_any_script_survives_the_intent(make_intent: Callable[..., Intent], tmp_path: Path) -> None:
    wanted = make_intent(template={"task": "Rate \U0001f600 \u5224"})
    (tmp_path / "intent.json").write_text(json.dumps(wanted.manifest()))
    assert read_intent(tmp_path / "intent.json").digest() == wanted.digest()


@pytest.mark.parametrize("text", ["a: [", "- a", "", "\x00"], ids=["broken", "list", "empty", "binary"])
def test_a_file_that_is_no_training_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text(text)
    assert main(["prepare", str(path)]) == 11
    assert main(["prepare", str(tmp_path / "nowhere.yaml")]) == 11


@pytest.mark.parametrize("text", [None, "{"], ids=["no file", "no run file"])
def test_an_export_that_cannot_begin_still_ends_with_a_record(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run.json"
    if text is not None:
        run.write_text(text)
    assert main(["export", str(run)]) == 11
    assert capsys.readouterr().err.startswith(f"Failed InvalidSpec: {run}: expected a run file")


def test_a_damaged_run_file_of_an_attempt_ends_an_export_with_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "tiny-judge/attempt-1/run.json"
    copy.parent.mkdir(parents=True)
    copy.write_text("{")
    assert main(["export", str(TINY), "--volume", str(tmp_path)]) == 11
    assert capsys.readouterr().err.startswith(f"Failed InvalidSpec: {copy}: expected a run file")


def test_data_errors_end_with_10_and_name_the_line(
    make_intent: Callable[..., Intent], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = tmp_path / "claims/c"
    claim.mkdir(parents=True)
    (claim / "train.jsonl").write_text("\n" * 6 + '{"prompt": ')
    source = {"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}
    intent = tmp_path / "intent.json"
    intent.write_text(json.dumps(make_intent(data={"train": [source]}).manifest()))
    assert main(["prepare", str(intent), "--claims", str(tmp_path / "claims")]) == 10
    assert "train.jsonl, line 7: expected valid JSON" in capsys.readouterr().err
