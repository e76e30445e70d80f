"""The real Kueue: first RayClusters alone, which prove the rig, then trainings of the operator."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rrm_api.run import digest_of
from rrm_test_cluster import Cluster, CommandFailed
from rrm_test_cluster.processes import ProcessId
from rrm_test_cluster.state import State

pytestmark = pytest.mark.fakenodes

QUEUE = "trainings"
WAITED_SECONDS = 5
"""The startup deadline of a training that waits longer than that."""


@pytest.fixture
def namespace(kueue_cluster: Cluster, make_queue: Callable[[str], None]) -> Iterator[str]:
    """A namespace whose queue has quota for one training."""
    name = f"kueue-{uuid.uuid4().hex[:8]}"
    kueue_cluster.create_namespace(name)
    make_queue(name)
    yield name
    kueue_cluster.kubectl("delete", "namespace", name, "--wait=false")


def ray_cluster(name: str, namespace: str, *, group: str = "workers", **labels: str) -> dict[str, Any]:
    """Return a RayCluster of two nodes of eight GPUs in the queue."""

    def template(container: str, limits: dict[str, str]) -> dict[str, Any]:
        resources = {"limits": limits, "requests": limits}
        return {"spec": {"containers": [{"name": container, "image": "ray", "resources": resources}]}}

    workers = {
        "groupName": group,
        "replicas": 2,
        "minReplicas": 2,
        "maxReplicas": 2,
        "rayStartParams": {},
        "template": template("ray-worker", {"cpu": "1", "nvidia.com/gpu": "8"}),
    }
    head = {"rayStartParams": {}, "template": template("ray-head", {"cpu": "1"})}
    queue = {f"kueue.x-k8s.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": name, "namespace": namespace, "labels": queue},
        "spec": {"rayVersion": "2.60.0", "headGroupSpec": head, "workerGroupSpecs": [workers]},
    }


def wait_for(cluster: Cluster, name: str, path: str, *, namespace: str) -> dict[str, Any]:
    """Wait until a RayCluster has a value; return it."""
    where = ("--namespace", namespace, "--timeout=60s")
    cluster.kubectl("wait", f"raycluster/{name}", f"--for=jsonpath={path}", *where)
    return cluster.client.get("raycluster", name, namespace=namespace)


def test_a_ray_cluster_without_quota_has_no_pods_until_the_first_is_gone(
    kueue_cluster: Cluster, namespace: str
) -> None:
    kueue_cluster.apply(ray_cluster("first", namespace, queue_name=QUEUE))
    wait_for(kueue_cluster, "first", "{.status.state}=ready", namespace=namespace)
    kueue_cluster.apply(ray_cluster("second", namespace, queue_name=QUEUE))
    second = wait_for(kueue_cluster, "second", "{.status.state}=suspended", namespace=namespace)

    assert second["spec"]["suspend"] is True
    pods = kueue_cluster.client.list("pod", namespace=namespace, selector="ray.io/cluster=second")
    assert pods == []

    kueue_cluster.kubectl("delete", "raycluster", "first", "--namespace", namespace)
    admitted = wait_for(kueue_cluster, "second", "{.status.state}=ready", namespace=namespace)
    assert admitted["metadata"]["uid"] == second["metadata"]["uid"]


def test_a_more_urgent_ray_cluster_takes_the_quota_and_gives_it_back_to_the_same_object(
    kueue_cluster: Cluster, namespace: str
) -> None:
    kueue_cluster.apply(ray_cluster("low", namespace, queue_name=QUEUE, priority_class="low"))
    low = wait_for(kueue_cluster, "low", "{.status.state}=ready", namespace=namespace)
    kueue_cluster.apply(ray_cluster("high", namespace, queue_name=QUEUE, priority_class="high"))
    wait_for(kueue_cluster, "high", "{.status.state}=ready", namespace=namespace)
    wait_for(kueue_cluster, "low", "{.status.state}=suspended", namespace=namespace)

    kueue_cluster.kubectl("delete", "raycluster", "high", "--namespace", namespace)
    again = wait_for(kueue_cluster, "low", "{.status.state}=ready", namespace=namespace)
    assert again["metadata"]["uid"] == low["metadata"]["uid"]


def test_kueue_s_webhook_is_asked_and_refuses_a_group_of_workers_called_head(
    kueue_cluster: Cluster, namespace: str
) -> None:
    with pytest.raises(CommandFailed, match='"head" is reserved for the head group'):
        kueue_cluster.apply(ray_cluster("judge", namespace, group="head", queue_name=QUEUE))


def test_a_kueue_that_was_stopped_keeps_nobody_from_making_ray_clusters(
    kueue_cluster: Cluster, namespace: str
) -> None:
    [process] = noted(kueue_cluster)
    kueue_cluster.stop_kueue()
    assert (noted(kueue_cluster), process.is_alive()) == ([], False)
    kueue_cluster.apply(ray_cluster("unmanaged", namespace))
    wait_for(kueue_cluster, "unmanaged", "{.status.state}=ready", namespace=namespace)

    kueue_cluster.start_kueue()
    kueue_cluster.apply(ray_cluster("managed", namespace, queue_name=QUEUE))
    wait_for(kueue_cluster, "managed", "{.status.state}=ready", namespace=namespace)
    # Whatever ends the cluster ends it too.
    assert len(noted(kueue_cluster)) == 1


def noted(cluster: Cluster) -> list[ProcessId]:
    """Return Kueue's process, if the cluster's state names one."""
    return [process for name, process in State.load(cluster.folder).daemons if name == "kueue-manager"]


def scheduling(workload_priority: str = "low") -> dict[str, str]:
    """Return the part of a spec that puts a training into the queue."""
    return {"scheduler": "Kueue", "queueName": QUEUE, "workloadPriorityClass": workload_priority}


def run(world: Any, judge: Any) -> None:
    """Take a training to the middle of its first attempt."""
    judge.prepared()
    world.until("a submission", lambda: world.ray.ids(on(world, judge)), seconds=90)
    judge.progress(1, step=3)
    world.stage(judge.training, "Training")


def on(world: Any, judge: Any) -> str:
    """Return the first RayCluster of a training, as the stand-in for Ray knows it."""
    return f"{world.namespace}/{judge.training}-c1"


def test_a_training_without_quota_waits_with_no_deadline_and_goes_on_when_the_first_ends(
    queued: Any, manifest: Any
) -> None:
    first = queued.apply(manifest("first", scheduling=scheduling()))
    run(queued, first)
    policy = {"startupDeadlineSeconds": WAITED_SECONDS}
    second = queued.apply(manifest("second", scheduling=scheduling(), policy=policy))
    second.prepared()
    queued.until("second waits for quota", lambda: queued.waits_for_quota("second"))

    # Twice its startup deadline: a clock that runs while it waits would have ended it.
    queued.stays(lambda: queued.waits_for_quota("second"), seconds=2 * WAITED_SECONDS)
    assert queued.is_suspended("second-c1")
    assert queued.ray.ids(on(queued, second)) == []
    assert queued.status("second").get("attempts", []) == []
    # What follows is about the queue, not about how fast this machine is.
    patch = json.dumps({"spec": {"policy": {"startupDeadlineSeconds": 3600}}})
    queued.cluster.kubectl("patch", "rmt", "second", "-n", queued.namespace, "--type=merge", "--patch", patch)

    first.trained()
    first.exported()
    queued.until("a submission", lambda: queued.ray.ids(on(queued, second)), seconds=90)
    # KubeRay says since when it is admitted: that starts the clock of the startup deadline.
    conditions = {it["type"]: it for it in queued.ray_cluster("second-c1")["status"]["conditions"]}
    assert conditions["RayClusterSuspended"]["status"] == "False"
    second.progress(1, step=1)
    second.trained()
    second.exported()
    queued.stage("second", "Succeeded", seconds=90)
    assert [it["number"] for it in queued.status("second")["attempts"]] == [1]
    assert queued.verbs("rayclusters") == {"create", "delete"}


def test_a_preempted_training_keeps_its_ray_cluster_and_goes_on_there_when_the_urgent_one_ends(
    queued: Any, manifest: Any
) -> None:
    low = queued.apply(manifest("low", scheduling=scheduling("low")))
    run(queued, low)
    before = queued.ray_cluster("low-c1")

    high = queued.apply(manifest("high", scheduling=scheduling("high")))
    run(queued, high)
    queued.until("low waits for quota", lambda: queued.waits_for_quota("low"))
    [attempt] = queued.status("low")["attempts"]
    assert (attempt["reason"], attempt["restarts"]) == ("Preempted", 0)
    assert attempt["endTime"]
    assert queued.is_suspended("low-c1")
    assert queued.ray_cluster("low-c1")["metadata"]["uid"] == before["metadata"]["uid"]

    high.trained()
    high.exported()
    queued.until("attempt 2", lambda: len(queued.ray.ids(on(queued, low))) == 2, seconds=90)
    low.progress(2, step=4)
    queued.stage("low", "Training")
    after = queued.ray_cluster("low-c1")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "low-c2" not in queued.names("raycluster")

    low.trained(2)
    low.exported()
    status = queued.stage("low", "Succeeded", seconds=90)
    assert [(it["number"], it["cluster"], it["restarts"]) for it in status["attempts"]] == [
        (1, "low-c1", 0),
        (2, "low-c1", 0),
    ]
    assert queued.verbs("rayclusters") == {"create", "delete"}


def test_a_preemption_that_happens_while_no_operator_runs_is_one_too_though_the_trainer_saved_and_left(
    queued: Any, manifest: Any
) -> None:
    low = queued.apply(manifest("low", scheduling=scheduling("low")))
    run(queued, low)
    before = queued.ray_cluster("low-c1")

    queued.operator.kill()
    urgent = ray_cluster("urgent", queued.namespace, queue_name=QUEUE, priority_class="high")
    queued.cluster.apply(urgent)
    wait_for(queued.cluster, "low-c1", "{.status.state}=suspended", namespace=queued.namespace)
    # What the trainer writes when the preStop of its pod asks it to save.
    stopped = {"result": "Stopped", "reason": "CheckpointSaved", "exitCode": 30, "message": "saved step 3"}
    low.record("train", digest_of(queued.run_of("low")), attempt=1, **stopped)
    queued.operator.start()

    queued.until("low waits for quota", lambda: queued.waits_for_quota("low"))
    assert queued.status("low")["attempts"][0]["reason"] == "Preempted"
    assert queued.ray_cluster("low-c1")["metadata"]["uid"] == before["metadata"]["uid"]


def test_what_kueue_writes_into_a_ray_cluster_takes_nothing_of_ours_away(queued: Any, manifest: Any) -> None:
    judge = queued.apply(manifest("judge", scheduling=scheduling()))
    run(queued, judge)
    spec = queued.ray_cluster("judge-c1")["spec"]
    # This Kueue was built before KubeRay had tokens: its own types do not know the field.
    assert spec["authOptions"]["mode"] == "token"
    assert spec["workerGroupSpecs"][0]["replicas"] == 2
    assert spec["suspend"] is False
