"""`rrm report`: both files where they belong, in words a person can act on, live until the run ends."""

import json
import shutil
from pathlib import Path

import pytest
import typer

from rrm.cli import report as command
from rrm.cli.report import report
from rrm.errors import VolumeUnavailable

RECORDED = Path(__file__).parents[3] / "data" / "recorded_run" / "tiny-judge"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    shutil.copytree(RECORDED, tmp_path / "tiny-judge")
    return tmp_path


def test_page_and_document_lie_in_the_trainings_folder(
    volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report("tiny-judge", volume=volume) == 0
    page = volume / "tiny-judge" / "report.html"
    assert "<title>tiny-judge: LEARNING</title>" in page.read_text(encoding="utf-8")
    assert (
        json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["training"]["name"] == "tiny-judge"
    )
    shown = capsys.readouterr().out
    assert f"{page}\n" in shown, "whole, for copying"
    assert "LEARNING (above" in " ".join(shown.split())
    assert "note: attempt 2 resumed from step 12" in " ".join(shown.split())


def test_it_goes_where_it_is_sent_and_makes_the_folder(volume: Path, tmp_path: Path) -> None:
    assert report(str(volume / "tiny-judge"), output=tmp_path / "new" / "page.html") == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["page.html", "page.json"]
    assert not (volume / "tiny-judge" / "report.html").exists()


def test_a_training_that_is_not_there_is_refused(volume: Path) -> None:
    with pytest.raises(VolumeUnavailable, match="trainings there: tiny-judge"):
        report("other", volume=volume)


def test_the_options_are_those_of_the_guide(volume: Path) -> None:
    app = typer.Typer()
    app.command()(report)
    call = typer.main.get_command(app).main
    wanted = ["tiny-judge", "--volume", str(volume), "-o", str(volume / "x.html")]
    assert call(args=wanted, standalone_mode=False) == 0
    assert (volume / "x.html").is_file()


class Clock:
    """Instead of sleeping the training goes on: it ends at the second sleep."""

    def __init__(self, training: Path) -> None:
        self.training, self.pages = training, list[str]()

    def sleep(self, seconds: float) -> None:
        assert seconds == 5
        self.pages.append((self.training / "report.html").read_text(encoding="utf-8"))
        if len(self.pages) == 2:
            ending = {"reason": "Succeeded", "message": "trained", "exit_code": 0}
            (self.training / "attempt-2" / "ending.json").write_text(json.dumps(ending))


def let_it_run(training: Path) -> None:
    """Take the recorded run's end away."""
    (training / "attempt-2" / "ending.json").unlink()
    for name in ("progress.jsonl", "metrics.jsonl"):
        path = training / "attempt-2" / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    beat = {"phase": "Rollout", "step": 23, "time": "2026-03-01T12:00:00Z"}
    (training / "attempt-2" / "heartbeat.json").write_text(json.dumps(beat))


def test_live_pages_load_themselves_again_until_the_run_ends(
    volume: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    training = volume / "tiny-judge"
    let_it_run(training)
    clock = Clock(training)
    monkeypatch.setattr(command.time, "sleep", clock.sleep)
    assert report("tiny-judge", volume=volume, live=True) == 0
    refresh = 'http-equiv="refresh"'
    assert [refresh in page for page in clock.pages] == [True, True, False], "one more look after the end"
    assert refresh not in (training / "report.html").read_text(encoding="utf-8")
    shown = capsys.readouterr().out
    assert shown.count("Rollout: step 23 of 24") == 1, "the same state is said once"


def test_ctrl_c_stops_following_and_leaves_a_page_that_stays(
    volume: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_it_run(volume / "tiny-judge")

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupt)
    assert report("tiny-judge", volume=volume, live=True) == 0
    assert "the training goes on" in capsys.readouterr().out
    assert 'http-equiv="refresh"' not in (volume / "tiny-judge" / "report.html").read_text(encoding="utf-8")
