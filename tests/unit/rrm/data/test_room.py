"""Before GPUs are asked for, the volume's free bytes are held against what the run will put on it."""

import json
import logging
from pathlib import Path

import pytest
import yaml

from rrm.cli.prepare import prepare
from rrm.data import room
from rrm.data.room import require_room
from rrm.errors import HubUnreachable, VolumeUnavailable
from rrm_api.conditions import Reason
from rrm_api.run import PROGRESS_CONFIG_MAP_ENV, ExitCode, Intent, Layout, intent_of
from rrm_api.v1alpha1 import parse_training

EXAMPLES = Path(__file__).parents[4] / "crds" / "examples"
GIB = 2**30


def an_intent(model: str = "Qwen/Qwen3-8B", **checkpoints: object) -> Intent:
    document = yaml.safe_load((EXAMPLES / "pointwise.yaml").read_text())
    document["metadata"] |= {"namespace": "team", "uid": "1"}
    document["spec"]["model"]["name"] = model
    document["spec"]["data"]["train"][0]["uri"] = "pvc://rows/none.jsonl"
    document["spec"]["checkpoints"] |= checkpoints
    return intent_of(parse_training(document))


def ask(intent: Intent, volume: Path, free: float) -> None:
    layout = Layout(volume, intent.name)
    require_room(intent, layout, claims=volume / "claims", free_bytes=round(free * GIB))


def test_too_small_a_volume_is_refused_with_the_sum_and_the_knobs(tmp_path: Path) -> None:
    with pytest.raises(VolumeUnavailable) as refused:
        ask(an_intent(), tmp_path, 100)
    told = str(refused.value)
    # 8.19e9 parameters x 12 bytes, kept 2 + best + one in flight; 2 bytes each for export and weights.
    assert "has 100.0 GiB free, but this run puts 396.7 GiB on it" in told
    assert "4 checkpoints of 91.5 GiB (keepLast 2, the best, one being written)" in told
    assert "an export of 15.3 GiB, the hub's weights of 15.3 GiB" in told
    for knob in ("checkpoints.volume.size", "checkpoints.keepLast", "checkpoints.keepBest", "export.enabled"):
        assert knob in told
    assert refused.value.reason is Reason.VOLUME_UNAVAILABLE
    assert refused.value.exit_code is ExitCode.CONFIGURATION


def test_a_volume_that_just_holds_it_will_do(tmp_path: Path) -> None:
    ask(an_intent(), tmp_path, 397)
    ask(an_intent(keepBest=False), tmp_path, 306)


def test_what_the_training_has_there_already_is_not_asked_for_twice(tmp_path: Path) -> None:
    intent = an_intent()
    file = Layout(tmp_path, intent.name).checkpoints / "global_step_2" / "data.pt"
    file.parent.mkdir(parents=True)
    with file.open("wb") as sparse:
        sparse.truncate(300 * GIB)
    ask(intent, tmp_path, 100)
    with pytest.raises(VolumeUnavailable, match=r"of which 300\.0 GiB are there"):
        ask(intent, tmp_path, 90)


def test_the_hub_counts_where_the_name_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "count_parameters", lambda name, revision: 8_000_000_000)
    with pytest.raises(VolumeUnavailable, match=r"for 8\.00B parameters"):
        ask(an_intent("org/our-judge"), tmp_path, 100)


def test_a_size_that_nobody_knows_is_said_and_refuses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def silent(name: str, revision: str | None) -> None:
        raise HubUnreachable("no answer")

    monkeypatch.setattr(room, "count_parameters", silent)
    with caplog.at_level(logging.INFO):
        ask(an_intent("org/our-judge"), tmp_path, 1)
    assert "room on the volume not checked" in caplog.text
    assert "org/our-judge" in caplog.text


@pytest.mark.parametrize(
    ("in_cluster", "code", "told"),
    [
        pytest.param(True, 11, "Failed VolumeUnavailable: the volume", id="before a cluster's GPUs"),
        pytest.param(False, 10, "Failed DataInvalid", id="not on a laptop, where rows are only looked at"),
    ],
)
def test_the_record_says_so_before_any_row_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    in_cluster: bool,
    code: int,
    told: str,
) -> None:
    monkeypatch.delenv(PROGRESS_CONFIG_MAP_ENV, raising=False)
    if in_cluster:
        monkeypatch.setenv(PROGRESS_CONFIG_MAP_ENV, "judge-progress")
    intent = an_intent("org/judge-900000B")
    (tmp_path / "rows").mkdir()
    file = tmp_path / "intent.json"
    file.write_text(json.dumps(intent.manifest()))
    assert prepare(file, volume=tmp_path, claims=tmp_path) == code
    assert told in capsys.readouterr().err
