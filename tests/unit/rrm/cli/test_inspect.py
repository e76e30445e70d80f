"""`rrm inspect`: a row's prompt, answers, what was read and earned, also where markup or no tokenizer is."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrm.cli.inspect_row import inspect_row
from rrm.errors import DataInvalid

RECORDED = Path(__file__).parents[3] / "data" / "recorded_run" / "tiny-judge"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    shutil.copytree(RECORDED, tmp_path / "tiny-judge")
    return tmp_path


def test_prompt_answers_label_and_reward_are_shown(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect_row("tiny-judge", "v00002", volume=volume, claims=volume) == 0
    shown = capsys.readouterr().out
    for words in ("v00002c0ffee", "Question:", "untrained, attempt 1", "step 24, attempt 2", "reward 1.0000"):
        assert words in shown
    assert "not counted, no tokenizer in" in shown


def test_one_step_shows_one_answer(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect_row("tiny-judge", "v00002", step=6, volume=volume, claims=volume) == 0
    shown = capsys.readouterr().out
    assert "step 6, attempt 1" in shown
    assert "step 24" not in shown


def test_a_row_nobody_answered_says_why(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect_row("tiny-judge", "t00002", volume=volume, claims=volume) == 0
    assert "only those of validations are" in " ".join(capsys.readouterr().out.split())


def test_square_brackets_in_an_answer_are_text_and_not_markup(
    volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = volume / "tiny-judge" / "attempt-2" / "validation-24.parquet"
    table = pq.read_table(path)
    rows = [
        {**row, "answer": "[red]no[/red] [/nothing]", "answer_swapped": "[b]B[/b]"}
        for row in table.to_pylist()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    assert inspect_row("tiny-judge", "v00002", step=24, volume=volume, claims=volume) == 0
    shown = capsys.readouterr().out
    assert "[red]no[/red] [/nothing]" in shown
    assert "[b]B[/b]" in shown


def test_tokens_stand_beside_prompt_and_answers_where_the_tokenizer_is_at_hand(
    volume: Path, demo_claims: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = volume / "tiny-judge" / "attempt-2" / "run.json"
    run = json.loads(copy.read_text())
    run["intent"]["model"]["volume"] = {"claimName": "demo", "path": "model"}
    copy.write_text(json.dumps(run))
    assert inspect_row("tiny-judge", "v00002", step=24, volume=volume, claims=demo_claims) == 0
    shown = capsys.readouterr().out
    assert " tokens" in shown
    assert "not counted" not in shown


def test_an_unknown_row_is_refused(volume: Path) -> None:
    with pytest.raises(DataInvalid, match="one prepared row whose id begins with nothing"):
        inspect_row("tiny-judge", "nothing", volume=volume, claims=volume)
