"""What all benches of the operator share: one cluster, one operator, and trainings that run on it.

`RRM_BENCH_TRAININGS` says how many trainings, in steps of the curve: the highest number, but no more than a
thousand, is also how many run while the other questions are asked. `RRM_BENCH_KUBERAY` is how much KubeRay
reconciles at the same time, `RRM_BENCH_QUIET_SECONDS` how long an operator with nothing to do is measured.
"""

import asyncio
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from rrm_test_cluster.audit import Asked
from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.rig.figures import Costs, costs
from rrm_test_cluster.rig.fleet import Fleet, Manifest, is_ready, is_running, stage_of, training
from rrm_test_cluster.rig.operator_process import OperatorProcess
from rrm_test_cluster.rig.ray_stand_in import RayStandIn
from rrm_test_cluster.rig.sightings import watching

CURVE: Final = tuple(int(it) for it in os.environ.get("RRM_BENCH_TRAININGS", "100,300").split(","))
RUNNING: Final = min(max(CURVE), 1000)
"""How many train while it is measured what they cost; more of them only come into being, and go."""
KUBERAY_AT_A_TIME: Final = int(os.environ.get("RRM_BENCH_KUBERAY", "1"))
"""KubeRay's own default is 1."""
QUIET_SECONDS: Final = float(os.environ.get("RRM_BENCH_QUIET_SECONDS", "60"))
LONG: Final = 600.0
"""Seconds after which something does not come any more."""
SECONDS_PER_CLUSTER: Final = 0.03
"""The bar of `design`: 1,000 RayClusters in 30 s."""
_READS: Final = ("get", "list", "watch")


@dataclass(frozen=True)
class Taken:
    """Seconds from the first request to the last of all RayClusters."""

    exist: float
    ready: float
    """0 where it was not waited for."""
    used: Costs
    """Until all existed."""


@dataclass
class World:
    """The one operator of all benches.

    Attributes:
        memory: Its memory before the first training, MB.
        running: Names of the trainings that run, by namespace.
        taken: How long their RayClusters took.
        written: What the operator wrote for them until they trained, by resource.
    """

    cluster: Cluster
    operator: OperatorProcess
    ray: RayStandIn
    memory: dict[str, float] = field(default_factory=dict)
    running: dict[str, list[str]] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)
    written: dict[str, Counter[str]] = field(default_factory=dict)

    async def start(self, fleet: Fleet, number: int) -> None:
        """Let trainings run in a namespace of their own, and note how long that took."""
        names = await self.suspended(fleet, number)
        before = len(self.asked())
        self.taken[fleet.namespace] = await self.take(fleet, number, lambda: fleet.resume(names))
        await self.train(fleet, names)
        await asyncio.sleep(5)
        self.written[fleet.namespace] = Counter(it.resource for it in self.writes(before))

    async def take(
        self, fleet: Fleet, number: int, start: Callable[[], Awaitable[Any]], *, until_ready: bool = True
    ) -> Taken:
        """Measure the way to RayClusters that `start` asks for."""
        made = watching(fleet.api, fleet.clusters, lambda _: True, names_only=True)
        async with made as there, watching(fleet.api, fleet.clusters, is_ready) as ready:
            await asyncio.sleep(1)
            with costs(self.cluster, operator=self.operator.pid) as used:
                started = time.monotonic()
                await start()
                exist = await there.count(number, seconds=LONG) - started
            last = await ready.count(number, seconds=LONG) if until_ready else started
        return Taken(exist, last - started, used)

    async def prepared(self, fleet: Fleet, number: int) -> tuple[float, list[Manifest]]:
        """Apply trainings and wait until each has what its prepare Job needs and the Job's pod runs.

        Returns:
            The seconds that took, and the trainings.
        """
        self.cluster.create_namespace(fleet.namespace)
        async with watching(fleet.api, fleet.pods, is_running) as running:
            await asyncio.sleep(1)
            started = time.monotonic()
            bodies = await fleet.create(
                fleet.trainings, [training(f"judge-{it:04d}") for it in range(number)]
            )
            return await running.count(number, seconds=LONG) - started, bodies

    async def suspended(self, fleet: Fleet, number: int) -> list[str]:
        """Make trainings that wait for nothing but being resumed: their data is prepared."""
        self.cluster.create_namespace(fleet.namespace)
        names = [f"judge-{it:04d}" for it in range(number)]
        async with watching(fleet.api, fleet.trainings, lambda it: stage_of(it) == "Suspended") as waiting:
            bodies = await fleet.create(fleet.trainings, [training(it, suspend=True) for it in names])
            await fleet.seed(bodies)
            await waiting.count(number, seconds=LONG)
        await asyncio.sleep(3)
        return names

    async def train(self, fleet: Fleet, names: list[str]) -> None:
        """Let resumed trainings be submitted and report their first steps; they run from then on."""
        stages = ("Starting", "Training")
        async with watching(fleet.api, fleet.trainings, lambda it: stage_of(it) in stages) as submitted:
            await submitted.count(len(names), seconds=LONG)
        async with watching(fleet.api, fleet.trainings, lambda it: stage_of(it) == "Training") as trained:
            await fleet.progress(names, step=3)
            await trained.count(len(names), seconds=LONG)
        self.running[fleet.namespace] = names

    def asked(self) -> list[Asked]:
        """Return all that the operator has asked the API server for."""
        return self.operator.asked()

    def writes(self, since: int) -> list[Asked]:
        """Return what the operator has written after its first so many requests."""
        return [it for it in self.operator.asked()[since:] if it.verb not in _READS]

    def metric(self, name: str) -> float:
        """Return a metric of the operator, summed over its labels."""
        address = f"http://127.0.0.1:{self.operator.port}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        found = (line for line in lines if line.partition(" ")[0].partition("{")[0] == name)
        return sum(float(line.rpartition(" ")[2]) for line in found)
