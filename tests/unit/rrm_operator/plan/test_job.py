"""Jobs: what Kubernetes itself tries again, and what it leaves to people."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.run import ExitCode, Role
from rrm_api.v1alpha1 import parse_training
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Snapshot
from rrm_operator.plan.job import plan_job


@pytest.fixture
def job(load_example: Callable[[str], Any]) -> Any:
    manifest = load_example("tiny-cpu")
    situation = Situation(
        parse_training(manifest), Snapshot(manifest, kuberay_installed=True), 0.0, "image", 15.0
    )
    pod = {"metadata": {}, "spec": {"containers": [{"name": "main"}]}}
    return plan_job(situation, Role.PREPARE, "0123456789", pod=pod)


def action(job: Any, *, exit_code: int | None, disrupted: bool = False) -> str:
    """Return what the Job controller does about a pod that ended: the first rule that matches."""
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        if "onPodConditions" in rule and disrupted:
            return str(rule["action"])
        codes = rule.get("onExitCodes")
        if codes and exit_code:
            assert codes["operator"] == "NotIn"
            if exit_code not in codes["values"]:
                return str(rule["action"])
    return "Count"


@pytest.mark.parametrize("exit_code", [None, 10, 137, 143])
def test_a_drained_or_lost_pod_is_made_again_and_not_counted(job: Any, exit_code: int | None) -> None:
    assert action(job, exit_code=exit_code, disrupted=True) == "Ignore"


def test_an_outage_is_tried_twice_more(job: Any) -> None:
    assert action(job, exit_code=ExitCode.INFRASTRUCTURE) == "Count"
    assert job["spec"]["backoffLimit"] == 2


@pytest.mark.parametrize(
    "exit_code",
    [
        *(it for it in ExitCode if it not in (ExitCode.DONE, ExitCode.INFRASTRUCTURE)),
        pytest.param(1, id="a traceback"),
        pytest.param(137, id="out of memory"),
    ],
)
def test_what_would_fail_the_same_way_again_fails_at_once(job: Any, exit_code: int) -> None:
    assert action(job, exit_code=exit_code) == "FailJob"


def test_a_pod_that_a_node_refused_is_tried_again(job: Any) -> None:
    assert action(job, exit_code=None) == "Count"


def test_the_kubelet_restarts_nothing_by_itself(job: Any) -> None:
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (1, 1)
