"""Group d: memory, NCCL, hangs, idle GPUs, and an operator that must not be the trouble itself."""

import asyncio
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from rrm.train.overrides.shared import PINNED
from rrm_api import group
from rrm_api.quantities import amount
from rrm_api.v1alpha1 import parse_training
from rrm_operator.facts import Key, Kind
from rrm_operator.settings import Settings
from rrm_operator.store import Store
from rrm_operator.work_queue import WorkQueue
from tests.complaints import lives, trainer
from tests.complaints.lives import CLUSTER, WORKER
from tests.unit.rrm_operator.conftest import example


async def test_kuberay_4287_the_head_has_memory_and_nothing_but_the_driver(operator_of: Any) -> None:
    """The head of the project's own sample is killed for its memory."""
    operator = operator_of("pointwise")
    world = await lives.live_until_provisioning(operator)
    head = lives.ray_pods(world)["head"]["containers"][0]
    assert amount(head["resources"]["limits"]["memory"]) >= amount("8Gi")
    start = lives.applied(world, Kind.RAY_CLUSTER)["spec"]["headGroupSpec"]["rayStartParams"]
    assert start["num-cpus"] == "0", "no actor of the run is placed on the head"


def test_kuberay_685_the_store_keeps_facts_and_no_bodies() -> None:
    """The operator itself runs out of memory: it caches whole pods."""

    def pod(number: int) -> dict[str, Any]:
        labels = {group.LABEL_TRAINING: "judge", "ray.io/node-type": "worker"}
        metadata = {"namespace": "demo", "name": f"worker-{number}", "uid": str(number), "labels": labels}
        owner = [{"name": "judge-c1", "controller": True}]
        ballast = {"annotations": {"ballast": f"{number:05d}" * 10_000}}
        return {"metadata": {**metadata, **ballast, "ownerReferences": owner}, "spec": {"containers": []}}

    store = Store()
    tracemalloc.start()
    for number in range(200):
        store.feed(Kind.POD, pod(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 200 * 5_000, "bytes; the pods themselves have 50,000 each"


async def test_kuberay_3909_a_slow_look_holds_up_nobody_else() -> None:
    """One worker looks at one cluster after the other: a slow one holds up all."""
    seen: list[str] = []

    async def look(key: str) -> None:
        seen.append(key)
        if key == "slow":
            await asyncio.sleep(60)

    queue = WorkQueue(look, workers=Settings(default_image="i").workers)
    queue.open()
    running = asyncio.create_task(queue.run())
    for key in ("slow", *(f"judge-{n}" for n in range(50))):
        queue.add(key)
    async with asyncio.timeout(10):
        while len(seen) < 51:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    "says",
    ["torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.9 GiB", "CUDA out of memory"],
)
async def test_verl_1964_out_of_memory_is_told_as_such_and_tried_once_more(operator: Any, says: str) -> None:
    """Out of memory at a save, or after many steps: a traceback among thousands of lines, and the end."""
    world = await lives.live_until_training(operator)
    lives.crash(world, says=says)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "OutOfMemory"


async def test_verl_2995_a_timeout_of_nccl_goes_on_from_the_checkpoint(operator: Any) -> None:
    """NCCL's watchdog kills the run after 600 s, for instance in a long validation."""
    world = await lives.live_until_training(operator, saved=2)
    says = "[rank3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7) ran for 600021 ms"
    lives.crash(world, says=says)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "TrainerCrashed"
    assert world.status["checkpoints"]["latestStep"] == 2


async def test_verl_7180_a_silent_hang_is_ended_and_begun_again(operator: Any) -> None:
    """The processes live, the GPUs idle and nothing is said: people notice after days."""
    world = await lives.live_until_training(operator)
    assert await lives.pass_time(operator, 1700) == "Training"
    await lives.pass_time(operator, 101)
    assert world.stops == ["0a1b2c3d-a1"]
    assert world.stop_asked() is None, "a hung trainer saves nothing: it is not asked to"
    await lives.pass_time(operator, 30)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "NoProgress"
    assert f"delete RayCluster {CLUSTER}" in world.log


async def test_verl_242_a_start_that_never_comes_to_a_step_is_ended(operator: Any) -> None:
    """On many nodes the start hangs: a worker has not joined, or a Ray of one node was started instead."""
    world = await lives.live_until_starting(operator)
    await lives.pass_time(operator, 3640)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "NoProgress"


def test_verl_242_no_private_ray_is_started_on_a_cluster(attempt: Any) -> None:
    """The driver starts a Ray of its own beside the cluster's, and waits for nodes that never join it."""
    said = trainer.configuration(attempt)
    assert said["+ray_kwargs.ray_init.address"] == "auto"
    assert not any(key.endswith(("ray_init.num_gpus", "ray_init.num_cpus")) for key in said)


async def test_verl_2600_pods_that_do_not_leave_are_named_with_what_helps(operator: Any) -> None:
    """After out of memory the GPU hangs, the pod stays Terminating, and all wait for it in silence."""
    world = await lives.live_until_training(operator)
    lives.crash(world, exit_code=11)
    assert await operator.settle() == "Releasing"
    await lives.pass_time(operator, 7200)
    assert world.condition("Ready")["reason"] == "PodsStuck"
    assert WORKER in world.condition("Ready")["message"]
    assert "kubectl" in world.condition("Ready")["message"]


async def test_verl_278_the_number_of_nodes_is_one_field(operator_of: Any, tmp_path: Path) -> None:
    """How to run on many nodes of Kubernetes is not written anywhere."""
    workers = {"nodes": 4, "gpusPerNode": 8}
    operator = operator_of("pointwise", workers=workers)
    world = await lives.live_until_provisioning(operator)
    (group_spec,) = lives.applied(world, Kind.RAY_CLUSTER)["spec"]["workerGroupSpecs"]
    assert [group_spec[it] for it in ("replicas", "minReplicas", "maxReplicas")] == [4, 4, 4]
    limits = lives.ray_pods(world)["worker"]["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == "8"
    said = trainer.configuration(trainer.attempt_on(tmp_path, example="pointwise", workers=workers))
    assert (said["trainer.nnodes"], said["trainer.n_gpus_per_node"]) == ("4", "8")


async def test_openrlhf_1013_a_task_that_ray_kills_for_memory_is_told_as_such(operator: Any) -> None:
    """Ray kills tasks for the node's memory; the job ends with an actor that died."""
    world = await lives.live_until_training(operator)
    says = "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory."
    lives.crash(world, says=says)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "OutOfMemory"


async def test_nccl_525_shared_memory_has_a_size_of_its_own(operator_of: Any) -> None:
    """Shared memory is too small in a container, and NCCL dies in its first collective."""
    default = await lives.live_until_provisioning(operator_of("pointwise"))
    workers = {"nodes": 1, "sharedMemory": "48Gi"}
    chosen = await lives.live_until_provisioning(operator_of("pointwise", workers=workers))
    for world, size in ((default, "32Gi"), (chosen, "48Gi")):
        worker = lives.ray_pods(world)["worker"]
        (shm,) = (it for it in worker["volumes"] if it["name"] == "shm")
        assert shm["emptyDir"] == {"medium": "Memory", "sizeLimit": size}
        mounts = worker["containers"][0]["volumeMounts"]
        assert {"name": "shm", "mountPath": "/dev/shm"} in mounts


async def test_kuberay_1414_an_init_container_takes_no_second_gpu(operator_of: Any) -> None:
    """Init containers that look at the GPUs cannot be had, or count them twice."""
    check = {"name": "check-gpus", "image": "checks:1", "resources": {"limits": {"nvidia.com/gpu": "8"}}}
    workers = {"nodes": 1, "podTemplate": {"spec": {"initContainers": [check]}}}
    world = await lives.live_until_provisioning(operator_of("pointwise", workers=workers))
    worker = lives.ray_pods(world)["worker"]
    assert worker["initContainers"] == [check]
    assert worker["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert len(worker["containers"]) == 1


def test_verl_519_the_whole_model_is_never_gathered_for_a_save(attempt: Any) -> None:
    """Gathering the whole state on one rank is what hangs, or runs out of memory."""
    said = {**PINNED, **trainer.configuration(attempt)}
    assert not any("hf_model" in str(value) for value in said.values())


def test_verl_7180_the_deadlines_are_bounded_and_on_by_default() -> None:
    """Nothing limits how long a run may be silent."""
    policy = parse_training(example("tiny-cpu")).spec.policy
    assert 0 < policy.stall_deadline_seconds <= 3600
    assert 0 < policy.startup_deadline_seconds <= 3600


async def test_kuberay_685_a_training_that_is_gone_leaves_nothing_in_memory(operator: Any) -> None:
    """What was cached for objects that were deleted stays."""
    world = await lives.live_until_training(operator)
    for kind, name in list(world.objects):
        world.remove(kind, name)
    await operator.look()
    assert world.store.snapshot(Key("demo", "tiny-judge")) is None
    assert world.store.keys() == frozenset()
