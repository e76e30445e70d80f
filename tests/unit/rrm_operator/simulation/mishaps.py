"""What befalls a training without anybody meaning it: pods, nodes, trainers, networks, clocks."""

from functools import partial
from typing import Final

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode
from rrm_operator.facts import Kind, RayJobState

from .api_server import GRACE_SECONDS
from .faults import Fault
from .world import World

FAULTS: Final = tuple(Fault)


def delete_pod(world: World, n: int) -> None:
    pods = world.ray_pods(role=("head", "worker", None)[n % 3])
    pods = pods or world.pods()
    for pod in pods[:1]:
        name = pod["metadata"]["name"]
        world.timeline.tell(f"somebody deletes pod {name}")
        world.api.delete(Kind.POD, name, grace=(0.0, GRACE_SECONDS, 40.0)[n % 7 % 3])


def node_is_lost(world: World, n: int) -> None:
    """A pod is told to go by the node controller, and never does, until the node is back."""
    pods = world.ray_pods(role=("head", "worker")[n % 2]) or world.pods()
    for pod in pods[:1]:
        name = pod["metadata"]["name"]
        world.timeline.tell(f"the node of {name} is lost")
        world.api.stuck.add(name)
        world.api.delete(Kind.POD, name)
        world.timeline.after((60.0, 400.0)[n % 2], world.api.nodes_come_back)


def evict(world: World, n: int) -> None:
    for pod in world.ray_pods(role=("head", "worker")[n % 2])[:1]:
        name = pod["metadata"]["name"]
        world.timeline.tell(f"{name} is evicted")
        world.api.change(
            Kind.POD, name, {"status": {"phase": "Failed", "reason": "Evicted", "conditions": []}}
        )


def drain(world: World, n: int) -> None:
    """A pod is evicted as `kubectl drain` does it: its preStop asks the trainer to save and leave."""
    for pod in world.ray_pods(role=("head", "worker")[n % 2])[:1]:
        name, status = pod["metadata"]["name"], pod["status"]
        world.timeline.tell(f"{name} is drained")
        why = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        conditions = [*(it for it in status.get("conditions", []) if it["type"] != why["type"]), why]
        world.api.change(Kind.POD, name, {"status": {"conditions": conditions}})
        world.api.delete(Kind.POD, name, grace=40.0)
        for process in world.ray.running():
            if not (process.hangs or process.ignores_stop):
                world.timeline.after((3.0, 15.0)[n // 2 % 2], partial(world.ray.leave, process))


def restart_container(world: World, n: int) -> None:
    """A container of a Ray pod is killed for its memory, or just dies, and starts again in place."""
    for pod in world.ray_pods(role=("head", "worker")[n % 2])[:1]:
        statuses = pod["status"].get("containerStatuses") or []
        if pod["status"]["phase"] != "Running" or not statuses:
            continue
        why = ("OOMKilled", "Error")[n // 2 % 2]
        world.timeline.tell(f"the container of {pod['metadata']['name']} restarts: {why}")
        last = {"terminated": {"exitCode": 137, "reason": why}}
        again = {**statuses[0], "restartCount": statuses[0]["restartCount"] + 1, "lastState": last}
        world.api.put({**pod, "status": {**pod["status"], "containerStatuses": [again]}})


CRASHES: Final[tuple[tuple[Reason, int, str, bool], ...]] = (
    (Reason.TRAINING_FAILED, ExitCode.INFRASTRUCTURE, "NCCL timeout", True),
    (Reason.TRAINING_FAILED, ExitCode.INFRASTRUCTURE, "torch.OutOfMemoryError: CUDA out of memory", True),
    (Reason.TRAINING_FAILED, ExitCode.INFRASTRUCTURE, "killed by signal 9", False),
    (Reason.DATA_INVALID, ExitCode.DATA, "rows do not fit", True),
    (Reason.INVALID_SPEC, ExitCode.CONFIGURATION, "an override is unknown", True),
    (Reason.PLUGIN_FAILED, ExitCode.PLUGIN, "a plug-in raised", True),
    (Reason.REWARD_COLLAPSED, ExitCode.UNHEALTHY, "the reward fell to zero", True),
    (Reason.TRAINING_FAILED, 1, "something else", True),
)


def crash(world: World, n: int) -> None:
    for process in world.ray.running():
        reason, code, words, recorded = CRASHES[n % len(CRASHES)]
        world.ray.fail(process, reason, code, words=words, recorded=recorded)


def infrastructure(world: World, n: int) -> None:
    crash(world, n % 3)


def hang(world: World, n: int) -> None:
    for process in world.ray.running():
        world.timeline.tell(f"trainer {process.id} hangs")
        process.hangs, process.hung_at = True, world.timeline.now


def ignore_stop(world: World, n: int) -> None:
    for process in world.ray.running():
        world.timeline.tell(f"trainer {process.id} will not stop when asked")
        process.ignores_stop = True


def unhealthy(world: World, n: int) -> None:
    for process in world.ray.running():
        finding = {"reason": Reason.REWARD_COLLAPSED.value, "step": process.step, "message": "it fell"}
        process.findings = [] if n % 2 else [finding]


def somebody_stops_the_job(world: World, n: int) -> None:
    for process in world.ray.running():
        world.ray.end(process, RayJobState.STOPPED, "somebody stopped it")


def job_fails(world: World, n: int) -> None:
    """Let the next prepare or export process end badly."""
    code = (10, 11, 12, 13, 20, 137)[n % 6]
    reason = (Reason.DATA_INVALID, Reason.INVALID_SPEC, Reason.MODEL_UNAVAILABLE)[n % 3]
    world.timeline.tell(f"the next Job will fail with {code}")
    world.jobs.faults.append((reason, code, n % 2 == 0))


def preempt(world: World, n: int) -> None:
    for name in world.api.named(Kind.RAY_CLUSTER):
        world.timeline.tell(f"Kueue preempts {name}")
        world.kuberay.preempt(name, seconds=(3.0, 30.0, 900.0)[n % 3])


def preempt_unseen(world: World, n: int) -> None:
    """Kueue preempts, and what then befalls pods and trainer is seen before the suspension is."""
    kind = Kind.RAY_CLUSTER.value
    if n % 2:
        world.operator.broken.add(kind)
        world.timeline.after((30.0, 90.0)[n // 2 % 2], lambda: world.operator.list_again(kind))
    else:
        world.operator.lag[kind] = (1.0, 5.0)[n // 2 % 2]
        world.timeline.after(20.0, lambda: _lag_ends(world, kind))
    preempt(world, n)


def fault(world: World, n: int) -> None:
    world.wire.plan(FAULTS[n % len(FAULTS)], calls=n // len(FAULTS) % 7)


def two_faults(world: World, n: int) -> None:
    fault(world, n)
    fault(world, n + 17)


def api_server_is_away(world: World, n: int) -> None:
    seconds = (3.0, 40.0, 200.0)[n % 3]
    world.timeline.tell(f"the API server does not answer for {seconds} s")
    world.wire.api_server_back_at = world.timeline.now + seconds


def ray_is_away(world: World, n: int) -> None:
    seconds = (15.0, 90.0, 700.0)[n % 3]
    world.timeline.tell(f"Ray does not answer for {seconds} s")
    world.wire.ray_back_at = world.timeline.now + seconds


def watch_lags(world: World, n: int) -> None:
    kind = (
        (group.KIND, Kind.POD, Kind.RAY_CLUSTER, Kind.CONFIG_MAP, Kind.JOB)[n % 5],
        (0.5, 5.0)[n // 5 % 2],
    )
    world.timeline.tell(f"events of {kind[0]} come {kind[1]} s late")
    world.operator.lag[str(kind[0])] = kind[1]
    world.timeline.after(20.0, lambda: _lag_ends(world, str(kind[0])))


def _lag_ends(world: World, kind: str) -> None:
    # Not below what is on its way: events of one watch never overtake each other.
    if kind in world.operator.lag:
        world.operator.lag[kind] = 0.0
        world.operator.broken.add(kind)
        world.timeline.after(6.0, lambda: world.operator.list_again(kind))


def watch_breaks(world: World, n: int) -> None:
    kind = str((group.KIND, Kind.POD, Kind.RAY_CLUSTER, Kind.CONFIG_MAP, Kind.JOB)[n % 5])
    world.timeline.tell(f"the watch of {kind} breaks")
    world.operator.broken.add(kind)
    world.timeline.after((2.0, 30.0, 90.0)[n // 5 % 3], lambda: world.operator.list_again(kind))


def clock_jumps(world: World, n: int) -> None:
    by = (-30.0, 5.0, 3600.0, -3600.0)[n % 4]
    world.timeline.tell(f"the operator's clock jumps by {by} s")
    world.ports.clock_error += by
    world.invariants.clock_jumps()
    world.timeline.after(60.0, lambda: _clock_is_right(world))


def _clock_is_right(world: World) -> None:
    world.ports.clock_error = 0.0
    world.invariants.clock_jumps()


def trainer_clock(world: World, n: int) -> None:
    """The clock of the trainers is off, for good."""
    by = (3 * 3600.0, -3 * 3600.0, 90.0, -90.0)[n % 4]
    world.timeline.tell(f"the trainers' clock is off by {by} s")
    world.ray.clock_error = by


def no_room(world: World, n: int) -> None:
    seconds = (30.0, 200.0, 2000.0)[n % 3]
    world.timeline.tell(f"no node has room for {seconds} s")
    world.nodes.full_until = world.timeline.now + seconds


def no_image(world: World, n: int) -> None:
    seconds = (30.0, 200.0, 2000.0)[n % 3]
    world.timeline.tell(f"no image can be pulled for {seconds} s")
    world.nodes.no_image_until = world.timeline.now + seconds


def no_volume(world: World, n: int) -> None:
    seconds = (30.0, 200.0, 2000.0)[n % 3]
    world.timeline.tell(f"no volume can be mounted for {seconds} s")
    world.nodes.no_volume_until = world.timeline.now + seconds


def job_hangs(world: World, n: int) -> None:
    world.timeline.tell("the next Job will hang")
    world.jobs.hangs += 1


def kuberay_goes(world: World, n: int) -> None:
    """Somebody uninstalls KubeRay with its kind, and installs it again."""
    world.timeline.tell("KubeRay's kind is deleted")
    world.kuberay.installed = False
    for name in world.api.named(Kind.RAY_CLUSTER):
        world.api.delete(Kind.RAY_CLUSTER, name)
    world.timeline.after((0.0, 10.0)[n % 2], lambda: world.operator.see_kuberay(installed=False))
    world.timeline.after(60.0, lambda: _kuberay_comes(world))


def _kuberay_comes(world: World) -> None:
    world.kuberay.installed = True
    world.operator.see_kuberay(installed=True)
