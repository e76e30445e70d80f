"""From apply to RayCluster with a trainer that answers at once: the prepare step, and what comes after it.

What comes after it is what `design` has a bar for: the data of many trainings is prepared, and each has what
its prepare Job needed; RayClusters are to be made.
"""

import asyncio

import pytest

from rrm_test_cluster.kube_api import connect
from rrm_test_cluster.rig.figures import Figures
from rrm_test_cluster.rig.fleet import Fleet
from rrm_test_cluster.rig.operator_bench import RUNNING, SECONDS_PER_CLUSTER, World

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
NAMESPACE = "prepared"


async def measure(world: World, figures: Figures) -> None:
    before = len(world.asked())
    async with connect(world.cluster.kubeconfig) as api:
        fleet = Fleet(api, NAMESPACE)
        seconds, bodies = await world.prepared(fleet, RUNNING)
        taken = await world.take(fleet, RUNNING, lambda: fleet.answer_preparing(bodies), until_ready=False)
        written = len(world.writes(before))
        await fleet.delete(fleet.trainings)
    figures.add(f"{RUNNING} trainings, apply -> all prepare pods run", f"{seconds:.1f} s")
    what, bar = f"{RUNNING} trainings, first answer -> RayClusters exist", SECONDS_PER_CLUSTER * RUNNING
    figures.add_bar(what, taken.exist, bar, unit="s")
    figures.add("  CPU seconds until then", str(taken.used))
    figures.add("  writes each, apply to RayCluster", f"{written / RUNNING:.1f}")


def test_what_the_prepare_step_costs(world: World, figures: Figures) -> None:
    asyncio.run(measure(world, figures))
