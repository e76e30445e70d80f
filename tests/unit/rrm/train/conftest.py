"""An attempt of the tiny training in a temporary folder."""

from pathlib import Path

import pytest
import yaml

from rrm.presets import resolve
from rrm.train.attempt import Attempt
from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.status import DataStatus, Metric
from rrm_api.v1alpha1 import parse_training

EXAMPLE = Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml"


@pytest.fixture
def tiny_run() -> RunFile:
    """The run file of the demo's training: 24 steps, one floor of .768."""
    document = yaml.safe_load(EXAMPLE.read_text())
    document["metadata"] |= {"namespace": "team", "uid": "1"}
    intent = intent_of(parse_training(document))
    prepared = Prepared(
        data=DataStatus(train=254, validation=64, digest="d"),
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset=resolve(intent).preset,
        floors=[Metric(name="constant-2", value="0.768")],
    )
    return RunFile(intent=intent, prepared=prepared)


@pytest.fixture
def attempt(tiny_run: RunFile, tmp_path: Path) -> Attempt:
    """Attempt 1 of it, with its folder."""
    made = Attempt(run=tiny_run, volume=tmp_path / "volume", claims=tmp_path / "claims", number=1)
    made.folder.mkdir(parents=True)
    return made
