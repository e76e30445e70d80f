"""A training that rehearses: valid for the API, and its child runs from a ConfigMap, without this package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rrm_api.v1alpha1 import parse_training
from rrm_test_cluster.rehearsal import Act, Fault, Rehearsal, rehearsal_plugins, rehearsal_training
from rrm_test_cluster.rehearsal.orders import VARIABLE, rehearsal_of

CHECKOUT = Path(__file__).parents[3]
HANG = Rehearsal(step_seconds=1, faults=(Fault(Act.HANG, step=3, attempt=1),))


@pytest.mark.parametrize("nodes", [1, 2])
def test_it_is_a_training_that_the_api_takes(nodes: int) -> None:
    manifest = rehearsal_training(
        "rehearsal",
        rehearsal=HANG,
        nodes=nodes,
        policy={"stallDeadlineSeconds": 20},
        checkpoints={"keepLast": 3},
    )
    manifest["metadata"] |= {"namespace": "team", "uid": "1"}
    training = parse_training(manifest)
    spec = training.spec
    assert (spec.workers.nodes, spec.policy.stall_deadline_seconds) == (nodes, 20)
    assert (spec.checkpoints.keep_last, spec.checkpoints.every_steps) == (3, 2)
    assert {entry.name: entry.value for entry in spec.env}[VARIABLE] == HANG.text()


def test_orders_survive_the_environment() -> None:
    assert rehearsal_of(HANG.text()) == HANG
    assert rehearsal_of("{}") == Rehearsal()


def test_the_child_in_the_config_map_needs_nothing_beside_it_but_the_trainer(tmp_path: Path) -> None:
    for name, text in rehearsal_plugins()["data"].items():
        (tmp_path / name).write_text(text)
        assert "rrm_test_cluster" not in text
    path = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "crds"), str(tmp_path)])
    command = [sys.executable, "-m", "rrm_rehearsal_child", "--help"]
    told = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--training" in told.stdout
