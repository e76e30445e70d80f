"""What happens around a training: the stretches of a life that many complaints begin with or end in."""

from typing import Any

from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_starting, live_until_training

__all__ = ["live_until_provisioning", "live_until_starting", "live_until_training"]

HEAD, WORKER, CLUSTER = "tiny-judge-c1-head", "tiny-judge-c1-worker", "tiny-judge-c1"
LONGEST_BACKOFF_SECONDS = 601
RAY_AGAIN_SECONDS = 5.0


async def pass_time(operator: Any, seconds: float) -> str:
    """Let time pass; the operator looks when it asked for it, or after its own writes, and never else.

    Returns the stage at the end: a deadline that nothing wakes the operator for is not kept.
    """
    world = operator.world
    until, wait = world.seconds + seconds, await _quiet(operator)
    while wait is not None and world.seconds + wait <= until:
        world.seconds += wait
        wait = await _quiet(operator)
    world.seconds = until
    return str(world.status["stage"])


async def _quiet(operator: Any) -> float | None:
    """Look until nothing more is written; return after how many seconds the operator wants to look again."""
    for _ in range(12):
        before = len(operator.world.log)
        try:
            wait: float | None = await operator.look()
        except RayUnavailable:
            wait = RAY_AGAIN_SECONDS
        if len(operator.world.log) == before:
            return wait
    raise AssertionError(f"it never settles: {operator.world.log[-12:]}")


async def next_attempt(operator: Any, number: int) -> None:
    """Play Kubernetes and the clock until an attempt is submitted."""
    world = operator.world
    for _ in range(20):
        stage = await operator.settle()
        if len(world.submissions) >= number:
            return
        if stage == "Releasing":
            world.pods_leave()
        elif stage == "BackingOff":
            await pass_time(operator, LONGEST_BACKOFF_SECONDS)
        elif stage == "Provisioning" and not world.pods(world.newest_cluster):
            world.cluster_becomes_ready()
        else:
            raise AssertionError(f"stage {stage}: {world.status.get('failure')} {world.log[-6:]}")
    raise AssertionError(f"no attempt {number}: {world.log[-12:]}")


async def ended(operator: Any) -> str:
    """Let all pods leave that are to leave; return the stage that is left."""
    stage = ""
    for _ in range(4):
        stage = str(await operator.settle())
        if stage != "Releasing":
            return stage
        operator.world.pods_leave()
    return stage


def crash(world: Any, *, attempt: int = 1, exit_code: int = 20, says: str = "", **facts: Any) -> None:
    """Let the trainer's parent record that its child died."""
    told = {
        "result": Result.FAILED,
        "reason": Reason.TRAINING_FAILED,
        "message": f"the trainer ended with exit code {exit_code}",
        "log_tail": says,
        **facts,
    }
    world.write_record(world.record(Role.TRAIN, attempt=attempt, exit_code=exit_code, **told))


def attempt_of(world: Any, number: int) -> dict[str, Any]:
    """Return what status says about an attempt."""
    found: dict[str, Any] = next(it for it in world.status["attempts"] if it["number"] == number)
    return found


def ends(world: Any) -> list[str | None]:
    """Return how the attempts ended, in order; None = has not."""
    return [it.get("reason") for it in world.status["attempts"]]


def submitted(world: Any) -> list[str]:
    """Return the ids of all jobs that Ray took, in order."""
    return [it.submission_id for it in world.submissions]


def pod_of(world: Any, role: str) -> str:
    """Return the newest pod of a role."""
    found: str = [name for name in world.named(Kind.POD) if name.endswith(f"-{role}")][-1]
    return found


def dies(world: Any, pod: str, reason: str, *, exit_code: int = 137, message: str = "") -> None:
    """Let a pod fail as the kubelet tells it."""
    state = {"exitCode": exit_code, "reason": reason, "message": message}
    container = [{"name": "main", "state": {"terminated": state}}]
    unready = [{"type": "Ready", "status": "False", "reason": "PodFailed"}]
    told = {"phase": "Failed", "reason": reason, "message": message, "conditions": unready}
    world.change_pod(pod, containerStatuses=container, **told)


def applied(world: Any, kind: str) -> dict[str, Any]:
    """Return the newest object of a kind as it was planned."""
    found: dict[str, Any] = [it for (of, _), it in world.planned.items() if of == kind][-1]
    return found


def ray_pods(world: Any) -> dict[str, dict[str, Any]]:
    """Return the pod specs of the newest RayCluster, by role."""
    spec = applied(world, Kind.RAY_CLUSTER)["spec"]
    head, (workers,) = spec["headGroupSpec"], spec["workerGroupSpecs"]
    return {"head": head["template"]["spec"], "worker": workers["template"]["spec"]}
