"""The demo's training end to end on a real node, with its operator killed in the middle.

Named after `test_bad_input`, which runs first, while this training is under way.
"""

from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster.demo.findings import examine
from rrm_test_cluster.demo.ground import Ground
from rrm_test_cluster.demo.places import NAMESPACE, OPERATOR_NAMESPACE, RELEASE, TRAINING
from rrm_test_cluster.demo.results import read_results
from rrm_test_cluster.demo.show import LONGEST_SECONDS

pytestmark = [pytest.mark.node, pytest.mark.verl]

KILLED_AT_STEP = 2


@pytest.fixture(scope="module")
def ended(demo: Any, ground: Ground) -> Any:
    """Kill the operator's pod while steps are done, and return the training when it is decided."""

    def step() -> int:
        return int(demo.status(TRAINING).get("progress", {}).get("step", 0))

    demo.wait_for("the second step", lambda: step() >= KILLED_AT_STEP, seconds=LONGEST_SECONDS)
    where = ("--namespace", OPERATOR_NAMESPACE)
    ground.client.kubectl("delete", "pod", *where, "--all", "--grace-period=0", "--force")
    ground.client.kubectl("rollout", "status", f"deployment/{RELEASE}", *where, "--timeout=120s")
    return demo.until(TRAINING, lambda seen: seen.is_decided, seconds=LONGEST_SECONDS)


def test_every_claim_of_the_demo_holds(ended: Any, ground: Ground, tmp_path: Path) -> None:
    ground.fetch_volume(tmp_path / "volume")
    findings = examine(ended, read_results(tmp_path / "volume", TRAINING, attempt=1))
    assert not [finding for finding in findings if not finding.holds]


def test_a_killed_operator_has_done_nothing_twice(ended: Any, demo: Any) -> None:
    assert [attempt["number"] for attempt in ended["status"]["attempts"]] == [1]
    log = (demo.volume(TRAINING) / TRAINING / "attempt-1" / "job.log").read_text(errors="replace")
    assert log.count(" - training/rollout_probs_diff_max:") == ended["status"]["progress"]["totalSteps"]
    assert not list((demo.volume(TRAINING) / TRAINING).glob("attempt-2"))


def test_the_cluster_was_given_back_before_the_export(ended: Any, demo: Any) -> None:
    mine = f"training.rrm.dev/training={TRAINING}"
    assert demo.names("rayclusters", mine) == []
    pods = demo.cluster.client.list("pods", namespace=NAMESPACE, selector=mine)
    assert {pod["status"]["phase"] for pod in pods} <= {"Succeeded", "Failed"}


def test_people_can_wait_for_it_and_read_it(ended: Any, demo: Any) -> None:
    demo.kubectl("wait", "--for=condition=Succeeded", f"rmt/{TRAINING}", "--timeout=5s")
    heads, values = (line.split() for line in demo.kubectl("get", "rmt", TRAINING).splitlines())
    assert heads[:4] == ["NAME", "STAGE", "STEP", "OF"]
    assert values[:4] == [TRAINING, "Succeeded", "24", "24"]


def test_conditions_agree_with_each_other(ended: Any) -> None:
    conditions = {it["type"]: it["status"] for it in ended["status"]["conditions"]}
    expected = {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Succeeded": "True"}
    assert expected.items() <= conditions.items()
    assert {conditions[name] for name in ("DataPrepared", "CheckpointSaved", "Exported")} == {"True"}
    assert ended["status"]["observedGeneration"] == ended["metadata"]["generation"]
