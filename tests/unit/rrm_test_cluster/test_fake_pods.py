from typing import Any

import pytest

from rrm_test_cluster.fake_pods import finished_status, is_leaving, is_waiting_for_a_kubelet, running_status

NOW = "2026-01-01T00:00:00Z"


def _pod(*, node: str = "fake-0000", phase: str = "Pending", leaving: bool = False) -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "namespace": "y", **({"deletionTimestamp": NOW} if leaving else {})},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "main", "image": "i"}],
            "initContainers": [{"name": "first", "image": "i"}],
        },
        "status": {"phase": phase},
    }


def test_a_scheduled_pod_waits_for_its_kubelet() -> None:
    assert is_waiting_for_a_kubelet(_pod())


@pytest.mark.parametrize(
    "pod", [_pod(node=""), _pod(phase="Running"), _pod(phase="Succeeded"), _pod(leaving=True)]
)
def test_a_pod_without_a_node_or_already_seen_is_left_alone(pod: dict[str, Any]) -> None:
    assert not is_waiting_for_a_kubelet(pod)


def test_only_a_deleted_pod_with_a_node_is_leaving() -> None:
    assert is_leaving(_pod(leaving=True, phase="Running"))
    assert not is_leaving(_pod(leaving=True, node=""))
    assert not is_leaving(_pod())


def test_a_running_pod_is_ready_and_its_first_containers_are_done() -> None:
    status = running_status(_pod(), address="10.216.0.1", now=NOW)["status"]

    assert {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "True"
    assert status["containerStatuses"][0]["ready"] is True
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


@pytest.mark.parametrize(("exit_code", "phase"), [(0, "Succeeded"), (10, "Failed")])
def test_a_finished_pod_carries_its_code_and_message(exit_code: int, phase: str) -> None:
    status = finished_status(_pod(), exit_code=exit_code, message="why", now=NOW)["status"]

    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (status["phase"], ended["exitCode"], ended["message"]) == (phase, exit_code, "why")
