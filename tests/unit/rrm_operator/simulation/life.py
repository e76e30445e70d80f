"""A life: acts with waits between them, then a fair world in which every training must come to an end."""

from collections.abc import Sequence
from dataclasses import dataclass

from rrm_api import group
from rrm_api.conditions import Stage
from rrm_operator.facts import Key, Kind

from .api_server import NAMESPACE
from .invariants import Violation
from .people import ACTS, retry
from .status_rules import TERMINAL
from .world import World, training

WAITS = (0.0, 0.03, 0.1, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0, 200.0)
LONGEST_SECONDS = 2 * 3600.0
"""A training in a fair world ends in this time: above all its deadlines and back-offs together."""
MOST_LOOKS = 14
QUIET_SECONDS = 1800.0
_KEY = Key(NAMESPACE, "judge")


@dataclass(frozen=True)
class Moment:
    """One act of a life: so long after the one before, in one of its variants."""

    wait: float
    act: str
    variant: int


def live(moments: Sequence[Moment], *, world: World | None = None) -> World:
    """Live a life to its end; raises `Violation` with its story."""
    world = world or World()
    try:
        world.create(training())
        for moment in moments:
            world.operator.run_until(world.timeline.now + moment.wait)
            ACTS[moment.act](world, moment.variant)
        world.heal()
        _end(world)
    except Exception as error:
        acts = "\n".join(f"  Moment({it.wait}, {it.act!r}, {it.variant})," for it in moments)
        story = world.timeline.text()
        raise Violation(
            f"{type(error).__name__}: {error}\n\nthe acts:\n{acts}\n\nthe story:\n{story}"
        ) from error
    return world


def _end(world: World) -> None:
    everything_ends(world)
    nothing_is_held(world)
    nothing_is_written_twice(world)
    rest_is_quiet(world)
    _try_again(world)
    memory_is_given_back(world)


def everything_ends(world: World) -> None:
    """In a fair world every training succeeds, fails, stalls or is suspended within bounded time."""
    began = world.timeline.now
    while world.timeline.now - began < LONGEST_SECONDS:
        world.operator.run_until(world.timeline.now + 40.0)
        if world.live() is not None and world.stage() in TERMINAL and world.operator.is_alive:
            return
    live = world.live() or {}
    raise Violation(f"{everything_ends.__doc__}\n{live.get('status')}")


def nothing_is_held(world: World) -> None:
    """What has come to rest holds no RayCluster and no pod of one."""
    world.operator.run_until(world.timeline.now + 100.0)
    if world.stage() in TERMINAL:
        held = [*world.api.named(Kind.RAY_CLUSTER), *(it["metadata"]["name"] for it in world.ray_pods())]
        if held:
            raise Violation(f"{nothing_is_held.__doc__}\n{held} in stage {world.stage()}")


def nothing_is_written_twice(world: World) -> None:
    """A look at a world that has not changed writes nothing."""
    quiet = 0
    for _ in range(MOST_LOOKS):
        before = world.ports.writes
        world.operator.look_at(_KEY)
        quiet = quiet + 1 if world.ports.writes == before else 0
        if quiet == 2:
            return
    raise Violation(f"{nothing_is_written_twice.__doc__}\nit never settles")


def rest_is_quiet(world: World) -> None:
    """At rest nothing is written, and looks are few."""
    looks, writes, stage = world.operator.looks, world.ports.writes, world.stage()
    world.operator.run_until(world.timeline.now + QUIET_SECONDS)
    if stage in TERMINAL and (world.ports.writes > writes or world.operator.looks - looks > 8):
        looked = world.operator.looks - looks
        raise Violation(
            f"{rest_is_quiet.__doc__}\n{world.ports.writes - writes} writes, {looked} looks in {stage}"
        )


def _try_again(world: World) -> None:
    """A fresh retry of what failed or stalls ends too; what was suspended goes on when it is resumed."""
    stage = world.stage()
    if stage == Stage.SUCCEEDED:
        return
    ACTS["resume"](world, 0)
    if stage != Stage.SUSPENDED:
        retry(world, 0)
    world.operator.run_until(world.timeline.now + 5.0)
    everything_ends(world)
    nothing_is_held(world)
    again = world.live() or {}
    if world.stage() not in (Stage.SUCCEEDED, Stage.FAILED, Stage.STALLED):
        raise Violation(f"{_try_again.__doc__}\n{again.get('status')}")


def memory_is_given_back(world: World) -> None:
    """When a training is gone, nothing remembers it but its volume."""
    world.api.delete(group.KIND, "judge")
    world.operator.run_until(world.timeline.now + 60.0)
    left = [f"{kind} {name}" for kind, name in world.api.objects if kind != Kind.PERSISTENT_VOLUME_CLAIM]
    if left:
        raise Violation(f"{memory_is_given_back.__doc__}\n{left}")
