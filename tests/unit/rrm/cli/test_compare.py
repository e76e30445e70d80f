"""`rrm compare`: side by side with intervals, a verdict only where the rows can show one, settings below."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rrm.cli.compare import compare_trainings
from rrm.errors import DataInvalid

RECORDED = Path(__file__).parents[3] / "data" / "recorded_run" / "tiny-judge"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    shutil.copytree(RECORDED, tmp_path / "tiny-judge")
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_the_trained_judge_beats_the_untrained_one_clearly(
    volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare_trainings("tiny-judge@0", "tiny-judge", volume=volume) == 0
    text = shown(capsys)
    assert "48 rows of 24 prompts, paired" in text
    assert "reward: tiny-judge@24 earns 0.336 more; the interval leaves out zero" in text
    assert "configuration: the same" in text
    assert "worse" not in text, "a smaller error is better too"
    assert "…" not in text, "nothing is cut at 80 columns"


def test_the_other_way_round_it_is_worse(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare_trainings("tiny-judge", "tiny-judge@0", volume=volume) == 0
    text = shown(capsys)
    assert "reward: tiny-judge@24 earns 0.336 more" in text
    assert "better" not in text


def test_the_same_judge_twice_shows_no_difference(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(volume / "tiny-judge", volume / "twin" / "tiny-judge")
    assert compare_trainings("tiny-judge", str(volume / "twin" / "tiny-judge"), volume=volume) == 0
    text = shown(capsys)
    assert "reward: no difference that these rows could show" in text


def test_settings_that_differ_are_listed(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = volume / "other"
    shutil.copytree(volume / "tiny-judge", other)
    copy = other / "attempt-2" / "run.json"
    run = json.loads(copy.read_text())
    run["intent"]["training"]["learningRate"] = "5e-6"
    copy.write_text(json.dumps(run))
    assert compare_trainings("tiny-judge", "other", volume=volume) == 0
    text = shown(capsys)
    assert "Configuration, where it differs" in text
    assert "training.learningRate 1e-6 5e-6" in text


def test_unpaired_rows_are_refused_with_what_to_do(volume: Path) -> None:
    other = volume / "other"
    shutil.copytree(volume / "tiny-judge", other)
    path = other / "attempt-2" / "validation-24.parquet"
    pq.write_table(pq.read_table(path).slice(0, 40), path)
    with pytest.raises(DataInvalid, match=r"8 rows only in tiny-judge@24.*a comparison is paired"):
        compare_trainings("tiny-judge", "other", volume=volume)
