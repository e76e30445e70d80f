"""What a kubelet would write for a pod that runs for ever; pure, called by the fake nodes."""

from typing import Any

Manifest = dict[str, Any]
FAKE_NODE_LABEL = "rrm.dev/fake-node"


def fake_node(name: str) -> Manifest:
    """Return a node object; its status is accepted by a patch of the status subresource only."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, FAKE_NODE_LABEL: "true"}},
    }


def fake_node_status(now: str, *, gpus: int) -> Manifest:
    """Return the status patch of a healthy node with that many GPUs."""
    capacity = {
        "cpu": "64",
        "memory": "512Gi",
        "pods": "250",
        "ephemeral-storage": "1Ti",
        "nvidia.com/gpu": str(gpus),
    }
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    ready = {"type": "Ready", "status": "True", "reason": "FakeNode", "message": "runs nothing", **times}
    return {"status": {"capacity": capacity, "allocatable": capacity, "conditions": [ready]}}


def is_waiting_for_a_kubelet(pod: Manifest) -> bool:
    """Whether a pod has a node, and nobody has started or ended it yet."""
    return (
        bool(pod["spec"].get("nodeName"))
        and "deletionTimestamp" not in pod["metadata"]
        and pod.get("status", {}).get("phase", "Pending") == "Pending"
    )


def is_leaving(pod: Manifest) -> bool:
    """Whether a pod has a node that should end it now."""
    return bool(pod["spec"].get("nodeName")) and "deletionTimestamp" in pod["metadata"]


def running_status(pod: Manifest, *, address: str, now: str) -> Manifest:
    """Return the status patch of a pod all of whose containers run and are ready."""
    conditions = ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready", "PodScheduled")
    return {
        "status": {
            "phase": "Running",
            "hostIP": "10.216.255.1",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": now,
            "conditions": [
                {"type": name, "status": "True", "lastTransitionTime": now} for name in conditions
            ],
            "containerStatuses": [_running(container, now) for container in pod["spec"]["containers"]],
            "initContainerStatuses": [
                _completed(each, now) for each in pod["spec"].get("initContainers", [])
            ],
        }
    }


def finished_status(pod: Manifest, *, exit_code: int, message: str, now: str) -> Manifest:
    """Return the status patch of a pod whose every container ended with that code and message."""
    reason = "Completed" if exit_code == 0 else "Error"
    end = {"exitCode": exit_code, "reason": reason, "message": message, "startedAt": now, "finishedAt": now}
    return {
        "status": {
            "phase": "Succeeded" if exit_code == 0 else "Failed",
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "PodCompleted", "lastTransitionTime": now}
            ],
            "containerStatuses": [
                {**_running(container, now), "ready": False, "started": False, "state": {"terminated": end}}
                for container in pod["spec"]["containers"]
            ],
        }
    }


def _running(container: Manifest, now: str) -> Manifest:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}},
    }


def _completed(container: Manifest, now: str) -> Manifest:
    end = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
    return {**_running(container, now), "started": False, "state": {"terminated": end}}
