"""The golden configurations, read by the verl they are written for: it knows every key and says yes."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from rrm.cli.heavy import code_path
from rrm.train.engine import Engine, profile_of
from rrm.train.environment import CPU
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment
from rrm_api.spec_pods import Accelerator

pytestmark = pytest.mark.verl
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
GOLDEN = ROOT / "tests" / "golden" / "overrides"


def golden(engine: Engine) -> dict[str, list[str]]:
    files = sorted((GOLDEN / engine).glob("*.txt"))
    return {file.stem: file.read_text().replace("ROOT", str(ROOT)).splitlines() for file in files}


def ask(engine: Engine, configurations: dict[str, list[str]]) -> dict[str, str]:
    try:
        python = find_environment(profile_of(Accelerator.CPU, engine)).python
    except TrainerEnvironmentError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [str(python), str(HERE / "probe_configuration.py"), engine.value],
        input=json.dumps(configurations),
        capture_output=True,
        text=True,
        env={**os.environ, **CPU, "PYTHONPATH": code_path()},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str] = json.loads(done.stdout.rpartition("SAID ")[2])
    return said


@pytest.mark.parametrize("engine", Engine)
def test_verl_knows_every_key_and_refuses_one_that_it_does_not_know(engine: Engine) -> None:
    known = golden(engine)
    assert known
    wrong = {
        "unknown": [*known["full"], "trainer.no_such_key=1"],
        "known, yet added": [*known["full"], "+trainer.critic_warmup=1"],
        "indivisible": [*known["full"], "actor_rollout_ref.rollout.n=3", "data.train_batch_size=97"],
    }
    said = ask(engine, known | wrong)
    assert {name: said[name] for name in known} == dict.fromkeys(known, "")
    assert "no_such_key" in said["unknown"]
    assert all(said[name].startswith("the trainer refuses its configuration") for name in wrong)
