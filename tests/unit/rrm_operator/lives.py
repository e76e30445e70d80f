"""The stretches of a life that many tests begin with: each lets the world happen until a stage is reached."""

from collections.abc import Callable
from typing import Any, Final

from rrm_operator.facts import Kind

LIFE: Final[dict[str, Callable[[Any], object]]] = {
    "Preparing": lambda world: None,
    "Provisioning": lambda world: world.prepare_succeeds(),
    "Starting": lambda world: world.cluster_becomes_ready(),
    "Training": lambda world: world.train_reports(3),
    "Releasing": lambda world: world.train_ends(),
    "Exporting": lambda world: world.pods_leave(),
    "Succeeded": lambda world: world.export_succeeds(),
}
"""A whole life: the stages in their order, and what happens in the world before each."""


async def live_until(operator: Any, stage: str) -> None:
    """Let all that leads to a stage happen, one after the other."""
    for name, happens in LIFE.items():
        happens(operator.world)
        assert await operator.settle() == name
        if name == stage:
            return


async def live_until_provisioning(operator: Any) -> Any:
    """Let the data be prepared and a RayCluster be made; return the world."""
    await operator.settle()
    operator.world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"
    return operator.world


async def live_until_starting(operator: Any) -> Any:
    """Let the first attempt be submitted; return the world."""
    world = await live_until_provisioning(operator)
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    return world


async def live_until_training(operator: Any, *, step: int = 3, saved: int | None = None) -> Any:
    """Let the first attempt report a step; return the world."""
    world = await live_until_starting(operator)
    world.train_reports(step, saved=saved)
    assert await operator.settle() == "Training"
    return world


async def live_until_exporting(operator: Any) -> Any:
    """Let the first attempt reach its last step and its pods leave; return the world."""
    world = await live_until_starting(operator)
    world.train_ends()
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Exporting"
    return world


def stalled(operator: Any) -> Any:
    """Return the condition that says why a training is stalled, which it must be."""
    condition = operator.world.condition("Stalled")
    assert condition["status"] == "True"
    return condition


async def begins(operator: Any, attempt: int, step: int, saved: int | None = None) -> None:
    """Let the RayCluster of an attempt become ready and the attempt make a step."""
    world = operator.world
    if "tiny-judge-c" not in "".join(world.named(Kind.RAY_CLUSTER)):
        assert await operator.settle() == "Provisioning"
    if not world.pods(world.newest_cluster):
        world.cluster_becomes_ready()
    await operator.settle()
    world.train_reports(step, attempt=attempt, saved=saved)
    assert await operator.settle() == "Training"


async def ends(operator: Any) -> str:
    """Let the pods of an attempt that has ended leave; return the stage that follows."""
    await operator.settle()
    operator.world.pods_leave()
    return str(await operator.settle())
