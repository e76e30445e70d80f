"""Group a: a status that is false, stuck or contradicts itself."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import ConditionType
from rrm_operator.facts import Key, Kind
from rrm_operator.store import Store
from tests.complaints import lives
from tests.complaints.lives import CLUSTER, HEAD, WORKER
from tests.unit.rrm_operator.conftest import example


def holds(world: Any, kind: str) -> bool:
    return bool(world.condition(kind)["status"] == "True")


def agrees(world: Any) -> None:
    """Check all that a reader could find contradictory in one status."""
    stage = world.status["stage"]
    assert [holds(world, kind) for kind in ("Ready", "Reconciling", "Stalled")].count(True) == 1
    assert holds(world, "Succeeded") == (stage == "Succeeded")
    assert (world.condition("Succeeded")["status"] == "False") == (stage == "Failed")
    assert not (holds(world, "ClusterReady") and "cluster" not in world.status)
    has_cluster = any(
        "deletionTimestamp" not in world.objects[Kind.RAY_CLUSTER, name]["metadata"]
        for name in world.named(Kind.RAY_CLUSTER)
    )
    assert ("cluster" in world.status) <= has_cluster


ENDS: dict[str, Callable[[Any], object]] = {
    "done": lambda world: world.train_ends(),
    "bad spec": lambda world: lives.crash(world, exit_code=11),
    "head lost": lambda world: world.delete_pod(HEAD),
    "suspended": lambda world: world.edit(lambda spec: spec.update(suspend=True)),
}


@pytest.mark.parametrize("end", ENDS)
async def test_kuberay_2314_job_and_deployment_status_never_contradict(operator: Any, end: str) -> None:
    """RayJob keeps two statuses by two writers: RUNNING beside Failed, 20 ready workers without a pod."""
    world = await lives.live_until_training(operator)
    agrees(world)
    ENDS[end](world)
    for _ in range(3):
        await lives.pass_time(operator, 700)
        agrees(world)
        world.pods_leave()
    assert await operator.settle()
    agrees(world)


async def test_kuberay_3903_a_restarted_head_is_no_running_job(operator: Any) -> None:
    """The submitter ends with the head's restart, and RayJob says Running for ever."""
    world = await lives.live_until_training(operator)
    restarted = [{"name": "main", "restartCount": 1, "state": {"running": {}}}]
    world.change_pod(HEAD, containerStatuses=restarted)
    world.jobs.clear()
    await lives.pass_time(operator, 60)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "ClusterLost"
    assert world.status["stage"] == "Starting"


async def test_kuberay_3860_an_evicted_head_gives_its_gpus_back(operator: Any) -> None:
    """After the head's eviction the RayCluster stays, with all its GPUs, and no job is sent again."""
    world = await lives.live_until_training(operator)
    lives.dies(world, HEAD, "Evicted", message="The node was low on resource: ephemeral-storage")
    await operator.settle()
    assert f"delete RayCluster {CLUSTER}" in world.log
    await lives.next_attempt(operator, 2)
    assert lives.submitted(world) == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert "Evicted" in lives.attempt_of(world, 1)["message"]


async def test_kuberay_1489_a_preempted_head_becomes_a_new_attempt(operator: Any) -> None:
    """A head that is pre-empted comes back without its job: workers stay out, nobody submits again."""
    world = await lives.live_until_training(operator)
    world.delete_pod(HEAD)
    await lives.next_attempt(operator, 2)
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]


async def test_kuberay_2161_a_head_out_of_memory_ends_the_attempt_at_once(operator: Any) -> None:
    """The head crashes, out of memory, and the GPU workers linger until somebody looks."""
    world = await lives.live_until_training(operator)
    lives.dies(world, HEAD, "OOMKilled")
    await operator.look()
    assert f"delete RayCluster {CLUSTER}" in world.log
    assert "OOMKilled" in lives.attempt_of(world, 1)["message"]


async def test_kuberay_2154_no_pod_stands_between_the_trainer_and_its_status(operator: Any) -> None:
    """A submitter pod stands in between: deleted, it leaves the job Running although Ray has finished."""
    world = await lives.live_until_training(operator)
    for name in world.named(Kind.JOB):
        world.remove(Kind.JOB, name)
    for name in world.pods(CLUSTER):
        assert name in (HEAD, WORKER)
    world.train_ends()
    assert await operator.settle() == "Releasing"


async def test_kuberay_3553_a_failed_job_holds_no_quota(operator: Any) -> None:
    """The Ray job fails while the submitter's Job runs on, and its quota is held from the next in line."""
    world = await lives.live_until_training(operator)
    lives.crash(world, exit_code=11)
    await operator.look()
    assert f"delete RayCluster {CLUSTER}" in world.log
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_kuberay_2359_the_end_is_seen_although_ray_is_silent(operator: Any) -> None:
    """The submitter waits on a log stream that got stuck: the job has ended, nothing is recycled."""
    world = await lives.live_until_training(operator)
    world.ray_answers = False
    world.train_ends()
    assert await operator.settle() == "Releasing"
    assert f"delete RayCluster {CLUSTER}" in world.log


async def test_kuberay_1990_a_wrong_image_ends_at_the_startup_deadline(operator: Any) -> None:
    """With a wrong image RayJob is Initializing for ever, which its makers call out of scope."""
    world = await lives.live_until_provisioning(operator)
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image trainer:typo"}
    world.add_pod(
        CLUSTER, "head", phase="Pending", containerStatuses=[{"name": "main", "state": {"waiting": waiting}}]
    )
    await operator.settle()
    assert "trainer:typo" in world.condition("Ready")["message"]
    assert await lives.pass_time(operator, 3601) == "Releasing"
    assert await lives.ended(operator) == "Stalled"
    assert world.condition("Stalled")["reason"] == "ImageUnavailable"
    assert world.named(Kind.RAY_CLUSTER) == []


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu",
}
TROUBLES: dict[str, dict[str, Any]] = {
    "image": {
        "containerStatuses": [
            {"name": "main", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}
        ]
    },
    "secret": {
        "containerStatuses": [
            {"name": "main", "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "no"}}}
        ]
    },
    "node": {"conditions": [UNSCHEDULABLE]},
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_kuberay_2781_what_a_pod_waits_for_is_in_the_message(operator: Any, trouble: str) -> None:
    """RayJob says Initializing and nothing else, whatever its pods wait for."""
    world = await lives.live_until_provisioning(operator)
    world.add_pod(CLUSTER, "worker", phase="Pending", **TROUBLES[trouble])
    assert await operator.settle() == "Provisioning"
    message = world.condition("Ready")["message"]
    assert WORKER in message
    expected = {"image": "ErrImagePull: not found", "secret": "ConfigError: no", "node": "Insufficient"}
    assert expected[trouble] in message


REFUSED = 'pods "judge-head" is forbidden: exceeded quota: gpus, requested: 8, used: 8, limited: 8'


def cannot_make_pods(world: Any) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod"}
    status = {"conditions": [failure | {"message": f"FailedCreateHeadPod\n{REFUSED}"}]}
    manifest = world.objects[Kind.RAY_CLUSTER, CLUSTER] | {"status": status}
    world.store.feed(Kind.RAY_CLUSTER, manifest)


async def test_kuberay_4178_the_ray_clusters_own_error_is_lifted(operator: Any) -> None:
    """RayJob's Initializing hides the error that its RayCluster already carries."""
    world = await lives.live_until_provisioning(operator)
    cannot_make_pods(world)
    await operator.settle()
    assert "FailedCreateHeadPod" in world.condition("Ready")["message"]


async def test_kuberay_2182_an_exceeded_quota_is_told_at_once(operator: Any) -> None:
    """The quota's refusal stays in the operator's log; who could fall back waits an hour instead."""
    world = await lives.live_until_provisioning(operator)
    cannot_make_pods(world)
    await operator.look()
    assert "exceeded quota: gpus" in world.condition("Ready")["message"]


async def test_kuberay_1991_pods_that_never_fit_are_given_up(operator: Any) -> None:
    """Too few resources give warnings for hours: no failure, no time limit."""
    world = await lives.live_until_provisioning(operator)
    world.add_pod(CLUSTER, "worker", phase="Pending", conditions=[UNSCHEDULABLE])
    await operator.settle()
    assert await lives.pass_time(operator, 3601) == "Releasing"
    assert await lives.ended(operator) == "Stalled"
    assert world.condition("Stalled")["reason"] == "Unschedulable"
    assert "Insufficient nvidia.com/gpu" in world.condition("Stalled")["message"]
    assert f"delete RayCluster {CLUSTER}" in world.log


async def test_kuberay_4199_no_job_is_sent_before_all_workers_are_ready(operator_of: Any) -> None:
    """The sidecar submits as soon as the head is up: the job runs on the head alone and never ends."""
    operator = operator_of(
        "tiny-cpu", workers={"nodes": 2, "accelerator": "CPU"}, checkpoints={"volume": {"size": "1Gi"}}
    )
    world = await lives.live_until_provisioning(operator)
    world.add_pod(CLUSTER, "head")
    for ready in (0, 1):
        world.set_cluster(head=True, workers=ready)
        assert await operator.settle() == "Provisioning"
        assert world.submissions == []
    world.set_cluster(head=True, workers=2)
    assert await operator.settle() == "Starting"


async def test_kuberay_5152_every_condition_is_there_from_the_first_look(operator: Any) -> None:
    """RayJob has no conditions at all: tools cannot wait for it."""
    await operator.look()
    conditions = operator.world.status["conditions"]
    assert [it["type"] for it in conditions] == [kind.value for kind in ConditionType]
    assert all(it["reason"] and it["lastTransitionTime"] for it in conditions)


async def test_kuberay_4042_the_observed_generation_comes_with_the_conditions(operator: Any) -> None:
    """RayJob's observedGeneration is a field that nothing sets."""
    world = await lives.live_until_training(operator)
    world.edit(lambda spec: spec.update(policy={"maxRestarts": 2}))
    await operator.look()
    assert world.status["observedGeneration"] == 2
    assert {it["observedGeneration"] for it in world.status["conditions"]} == {2}


async def test_trainer_2713_pending_and_running_can_be_told_apart(operator: Any) -> None:
    """TrainJob knows Suspended, Complete and Failed; waiting and running look the same."""
    world = await lives.live_until_provisioning(operator)
    assert (holds(world, "Ready"), holds(world, "Reconciling")) == (False, True)
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_reports(1)
    await operator.settle()
    assert (holds(world, "Ready"), holds(world, "Reconciling")) == (True, False)


async def test_sdk_803_a_resumed_training_is_told_as_training(operator: Any) -> None:
    """A job that was suspended, as by every queue, is reported as Created for the rest of its life."""
    world = await lives.live_until_starting(operator)
    world.edit(lambda spec: spec.update(suspend=True))
    assert await lives.ended(operator) == "Suspended"
    assert holds(world, "Suspended")
    world.edit(lambda spec: spec.update(suspend=False))
    await lives.next_attempt(operator, 2)
    world.train_reports(1, attempt=2)
    assert await operator.settle() == "Training"
    assert not holds(world, "Suspended")


def test_dask_kubernetes_968_the_order_of_events_does_not_matter() -> None:
    """Two handlers race: a service's event before the cluster's own leaves it Pending for ever."""
    training = example("tiny-cpu")
    labels = {group.LABEL_TRAINING: "tiny-judge", group.LABEL_ATTEMPT: "1"}
    named = {"namespace": "demo", "labels": labels}
    cluster = {"metadata": named | {"name": CLUSTER, "uid": "c"}, "spec": {}}
    ours = {"ray.io/node-type": "head"} | labels
    owner = [{"name": CLUSTER, "uid": "c", "controller": True}]
    head = {"metadata": named | {"labels": ours, "name": HEAD, "uid": "h", "ownerReferences": owner}}
    events = [(group.KIND, training), (Kind.RAY_CLUSTER, cluster), (Kind.POD, head)]
    seen = []
    for order in permutations(events):
        store = Store()
        for kind, manifest in order:
            store.feed(kind, manifest)
        seen.append(store.snapshot(Key("demo", "tiny-judge")))
    assert seen[0] is not None
    assert len(seen[0].pods) == len(seen[0].clusters) == 1
    assert all(it == seen[0] for it in seen)


async def test_dask_kubernetes_655_a_spec_that_cannot_be_read_says_which_field(operator: Any) -> None:
    """An invalid spec makes the cluster hang instead of failing."""
    operator.world.edit(lambda spec: spec.update(workers={"nodes": "many"}))
    assert await operator.settle() == "Stalled"
    assert operator.world.condition("Stalled")["reason"] == "InvalidSpec"
    assert "workers.nodes" in operator.world.condition("Stalled")["message"]
