"""What the prepare step costs a training: from apply to RayCluster with a trainer that answers at once."""

import asyncio
import time

import pytest

from rrm_api.run import intent_of
from rrm_api.v1alpha1 import parse_training
from rrm_test_cluster.kube_api import connect
from rrm_test_cluster.rig.figures import Figures
from rrm_test_cluster.rig.fleet import Fleet, prepare_record, training
from rrm_test_cluster.rig.operator_bench import LONG, SECONDS_PER_CLUSTER, World
from rrm_test_cluster.rig.sightings import watching

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
TRAININGS = 100
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
            for body in bodies:
                intent = intent_of(parse_training(body))
                await fleet.answer(intent.name, "prepare", prepare_record(intent))
            exist = await clusters.count(TRAININGS, seconds=LONG)
    figures.add(f"{TRAININGS} trainings, apply -> all prepare pods run", f"{prepare:.1f} s")
    what, bar = f"{TRAININGS} trainings, first answer -> RayClusters exist", SECONDS_PER_CLUSTER * TRAININGS
    figures.add_bar(what, exist - answered, bar, unit="s")
    figures.add("  writes each, apply to RayCluster", f"{len(world.writes(before)) / TRAININGS:.1f}")


def test_what_the_prepare_step_costs(world: World, figures: Figures) -> None:
    asyncio.run(measure(world, figures))
