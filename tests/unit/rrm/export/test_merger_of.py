"""Which merger: verl's own where it can read the checkpoint, else ours."""

from pathlib import Path

import pytest

from rrm.export import merge
from rrm.train.engine import Engine

NEWER, OURS = "verl.model_merger", "rrm.train.verl04.merge"


@pytest.mark.parametrize(
    ("is_newers", "installed", "merger"),
    [
        pytest.param(True, Engine.VERL_09, NEWER, id="newer checkpoint, newer engine"),
        pytest.param(True, None, NEWER, id="newer checkpoint, none installed"),
        pytest.param(True, Engine.VERL_04, OURS, id="newer checkpoint, older engine"),
        pytest.param(False, Engine.VERL_09, OURS, id="older checkpoint, newer engine"),
        pytest.param(False, Engine.VERL_04, OURS, id="older checkpoint, older engine"),
    ],
)
def test_the_merger_follows_from_checkpoint_and_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_newers: bool, installed: Engine | None, merger: str
) -> None:
    if is_newers:
        (tmp_path / "fsdp_config.json").write_text("{}")
    monkeypatch.setattr(merge, "installed_engine", lambda: installed)
    assert merge.merger_of(tmp_path)[0] == merger
