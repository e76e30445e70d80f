"""A reward of the user inside the real verl: found in every process, called as it is, not trusted blindly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

pytestmark = pytest.mark.verl
REWARD = """
import zlib

def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    question = extra_info["input"][0]["content"]
    if zlib.crc32((question + solution_str).encode()) % 10 == 0:
        raise RuntimeError("no tenth answer, please")
    return {"score": 0.5 if ground_truth in solution_str else 0.25, "length": len(solution_str)}
"""


@pytest.fixture(scope="module")
def ended(
    task: Path, tmp_path_factory: pytest.TempPathFactory, rrm_command: Callable[..., Any]
) -> tuple[Any, Path]:
    """A run that is to end at its first validation: about two minutes."""
    place = tmp_path_factory.mktemp("own-reward")
    manifest = yaml.safe_load((task / "sentiment.yaml").read_text())
    manifest["spec"] |= {
        "reward": {"entryPoint": "own_reward:compute_score"},
        "plugins": {"configMapName": "own"},
    }
    training = place / "training.yaml"
    training.write_text(yaml.safe_dump(manifest))
    claims = place / "claims"
    (claims / "own").mkdir(parents=True)
    (claims / "own" / "own_reward.py").write_text(REWARD)
    (claims / "sentiment").symlink_to(task / "sentiment", target_is_directory=True)
    return rrm_command("run", training, "--volume", place / "runs", "--claims", claims), place / "runs"


def test_a_function_that_raises_too_often_ends_the_run_as_a_fault_of_the_plug_in(
    ended: tuple[Any, Path],
) -> None:
    done, volume = ended
    assert done.returncode == 13, done.stdout[-4000:]
    assert "PluginFailed: spec.reward.entryPoint: validation at 0: the function raised" in done.stdout
    log = (volume / "sentiment" / "attempt-1" / "job.log").read_text()
    assert "no tenth answer, please" in log, "in the user's own words"


def test_every_other_answer_was_paid_what_the_function_said(ended: tuple[Any, Path]) -> None:
    _, volume = ended
    rows = pq.read_table(volume / "sentiment" / "attempt-1" / "validation-0.parquet").to_pylist()
    raised = [row for row in rows if row["reward_error"]]
    assert 0 < len(raised) < len(rows) / 2
    for row in rows:
        if row["reward_error"]:
            assert row["reward"] == 0
        else:
            assert row["reward"] == (0.5 if str(int(row["label"])) in row["answer"] else 0.25)
            assert f'"length": {float(len(row["answer"]))}' in row["user_metrics"]
