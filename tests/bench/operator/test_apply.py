"""From apply to RayCluster with a trainer that answers at once: the prepare step, and what comes after it.

What comes after it is what `design` has a bar for: the data of many trainings is prepared, and each has what
its prepare Job needed; RayClusters are to be made.
"""

import asyncio
import time

import pytest

from rrm_api.run import intent_of
from rrm_api.v1alpha1 import parse_training
from rrm_test_cluster.kube_api import connect
from rrm_test_cluster.rig.figures import Figures
from rrm_test_cluster.rig.fleet import Fleet, at_a_time, prepare_record, training
from rrm_test_cluster.rig.operator_bench import CURVE, LONG, SECONDS_PER_CLUSTER, World
from rrm_test_cluster.rig.sightings import watching

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
TRAININGS = CURVE[-1]
NAMESPACE = "prepared"


def is_running(pod: dict[str, object]) -> bool:
    status = pod.get("status")
    return isinstance(status, dict) and status.get("phase") == "Running"


async def measure(world: World, figures: Figures) -> None:
    world.cluster.create_namespace(NAMESPACE)
    before = len(world.asked())
    async with connect(world.cluster.kubeconfig) as api:
        fleet = Fleet(api, NAMESPACE)
        pods = watching(api, f"/api/v1/namespaces/{NAMESPACE}/pods", is_running)
        made = watching(api, fleet.clusters, lambda _: True, names_only=True)
        async with pods as running, made as clusters:
            started = time.monotonic()
            manifests = [training(f"judge-{it:04d}") for it in range(TRAININGS)]
            bodies = await fleet.create(fleet.trainings, manifests)
            prepare = await running.count(TRAININGS, seconds=LONG) - started
            answered = time.monotonic()
            intents = [intent_of(parse_training(body)) for body in bodies]
            await at_a_time(lambda it: fleet.answer(it.name, "prepare", prepare_record(it)), intents)
            exist = await clusters.count(TRAININGS, seconds=LONG)
            written = len(world.writes(before))
            await fleet.delete(fleet.trainings)
    figures.add(f"{TRAININGS} trainings, apply -> all prepare pods run", f"{prepare:.1f} s")
    what, bar = f"{TRAININGS} trainings, first answer -> RayClusters exist", SECONDS_PER_CLUSTER * TRAININGS
    figures.add_bar(what, exist - answered, bar, unit="s")
    figures.add("  writes each, apply to RayCluster", f"{written / TRAININGS:.1f}")


def test_what_the_prepare_step_costs(world: World, figures: Figures) -> None:
    asyncio.run(measure(world, figures))
