"""Seven simulated days of 200 trainings that come and go: what the operator remembers does not grow.

The entries of every memory are counted and bounded. The resident size is printed for each day; asserted is
the slope of the blocks that Python has allocated, which nothing else on the machine disturbs.
"""

import gc
import logging
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from rrm_api import group
from rrm_operator.facts import Kind

from .simulation import operator_process
from .simulation.timeline import START
from .simulation.world import World, training

TRAININGS = 200
DAYS = int(os.environ.get("RRM_SOAK_DAYS", "7"))
DAY = 86_400.0
LIFETIMES = (4, 9, 17)
"""Hours after which a training is deleted and another one created."""
SWEEP_SECONDS = 3600.0
GROWTH_ALLOWED = 0.03
"""Share by which the allocated blocks of the last day may be above those of the second."""


@pytest.fixture(autouse=True)
def _quiet_operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(operator_process, "SWEEP_SECONDS", SWEEP_SECONDS)
    log = logging.getLogger("rrm_operator")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Churn:
    """Trainings that are created, deleted, edited, lose pods and are made again, all spread over the day."""

    def __init__(self, world: World) -> None:
        self.world, self.made = world, 0
        for place in range(TRAININGS):
            world.timeline.after(place * 60.0, partial(self.begin, place))

    def begin(self, place: int) -> None:
        world, self.made = self.world, self.made + 1
        # Half of the names come back: namesakes are what a memory by name could mix up.
        name = f"judge-{place}" if place % 2 else f"judge-{place}-{self.made}"
        manifest = training(name)
        policy = {**manifest["spec"]["policy"], "stallDeadlineSeconds": 3600, "startupDeadlineSeconds": 3600}
        world.api.put({**manifest, "spec": {**manifest["spec"], "policy": policy}})
        lifetime = LIFETIMES[self.made % len(LIFETIMES)] * 3600.0
        if self.made % 3 == 0:
            world.timeline.after(lifetime / 6, lambda: self.lose_a_pod(name))
        if self.made % 5 == 0:
            world.timeline.after(lifetime / 8, lambda: self.suspend(name, on=True))
            world.timeline.after(lifetime / 4, lambda: self.suspend(name, on=False))
        world.timeline.after(lifetime, lambda: self.end(place, name))

    def end(self, place: int, name: str) -> None:
        self.world.api.delete(group.KIND, name)
        self.world.api.delete(Kind.PERSISTENT_VOLUME_CLAIM, f"{name}-checkpoints")
        self.world.ray.volumes.pop(name, None)
        self.world.timeline.after(30.0, lambda: self.begin(place))

    def lose_a_pod(self, name: str) -> None:
        for pod in self.world.ray_pods(role="worker"):
            if pod["metadata"]["labels"][group.LABEL_TRAINING] == name:
                self.world.api.delete(Kind.POD, pod["metadata"]["name"])
                return

    def suspend(self, name: str, *, on: bool) -> None:
        live = self.world.live(name)
        if live is not None:
            metadata = {**live["metadata"], "generation": live["metadata"]["generation"] + 1}
            self.world.api.put({**live, "metadata": metadata, "spec": {**live["spec"], "suspend": on}})


def forget_what_the_world_remembers(world: World) -> None:
    """Drop what this world keeps to judge by: its growth is not the operator's."""
    world.timeline.story.clear()
    world.ray.worked.clear()
    world.invariants.forget()


def remembered(world: World) -> dict[str, int]:
    """Return how much each memory of the operator holds."""
    operator = world.operator
    parts: dict[str, object] = {
        "store": operator.store,
        "observer": operator.reconciler.observer,
        "claims": operator.reconciler.observer.claims,
        "reporter": operator.reconciler.reporter,
        "worker": operator.worker,
        "schedule": operator.schedule,
    }
    return {
        f"{part}.{name}": len(held)
        for part, owner in parts.items()
        for name, held in vars(owner).items()
        if isinstance(held, dict | list | set)
    }


@pytest.mark.long
def test_seven_days_of_churn_leave_nothing_behind() -> None:
    world = World()
    world.invariants.is_watching_time = False
    churn = Churn(world)
    sizes: list[int] = []
    for day in range(1, DAYS + 1):
        world.operator.run_until(START + day * DAY)
        forget_what_the_world_remembers(world)
        gc.collect()
        held = remembered(world)
        sizes.append(sys.getallocatedblocks())
        print(
            f"day {day}: {churn.made} trainings made, {world.operator.looks:,} looks, "
            f"{world.ports.writes:,} writes, RSS {resident_mib():.0f} MiB, {sizes[-1]:,} blocks"
        )
        trainings = len(world.api.named(group.KIND))
        for name, count in held.items():
            limit = 40 * TRAININGS if name.startswith("store._owners") else 3 * TRAININGS
            assert count <= limit, f"{name} holds {count} entries for {trainings} trainings"
    growth = sizes[-1] / sizes[1] - 1
    print(f"growth from day 2 to day {DAYS}: {growth:+.2%}")
    assert growth < GROWTH_ALLOWED
    for name in world.api.named(group.KIND):
        world.api.delete(group.KIND, name)
    world.operator.run_until(world.timeline.now + 60.0)
    left = {name: count for name, count in remembered(world).items() if count}
    print(f"when the last training is gone: {left}")
    assert left.keys() <= {"store._entries", "store._owners"}, "the claims are all that is left"
