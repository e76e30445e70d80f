"""From apply to RayClusters, and until all are ready: ours, RayJobs of the same KubeRay, bare RayClusters.

Nothing is to be prepared: the answers of preparing are written while the trainings are suspended, and
resuming them takes the place of applying them. What preparing costs is a question of its own; beside bare
RayClusters, which need nothing but themselves, trainings are measured too that have all but theirs. What was
measured is deleted before the next is, so that each number has the cluster to itself.
"""

import asyncio
import copy
from collections import Counter
from typing import Any

import pytest

from rrm_test_cluster.kube_api import KubeApi, connect
from rrm_test_cluster.rig.figures import Figures
from rrm_test_cluster.rig.fleet import Fleet, is_ready, plain, ray_cluster, ray_job
from rrm_test_cluster.rig.operator_bench import CURVE, LONG, RUNNING, Taken, World
from rrm_test_cluster.rig.sightings import watching

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
READY_UP_TO = 300
"""KubeRay alone takes minutes until the pods of a thousand RayClusters are ready."""


async def model_spec(world: World, api: KubeApi) -> dict[str, Any]:
    """Return the spec of a RayCluster as the operator makes it."""
    fleet = Fleet(api, "model")
    names = await world.suspended(fleet, 1)
    async with watching(api, fleet.clusters, is_ready) as ready:
        await fleet.resume(names)
        await ready.count(1, seconds=LONG)
    found: dict[str, Any] = (await api.request("GET", fleet.clusters))["items"][0]["spec"]
    await fleet.delete(fleet.trainings)
    return plain(copy.deepcopy(found))


async def bare(world: World, api: KubeApi, number: int, spec: dict[str, Any]) -> Taken:
    fleet = Fleet(api, f"bare-{number}")
    world.cluster.create_namespace(fleet.namespace)
    manifests = [ray_cluster(f"bare-{it:04d}", spec) for it in range(number)]
    taken = await world.take(fleet, number, lambda: fleet.create(fleet.clusters, manifests))
    await fleet.delete(fleet.clusters)
    return taken


async def ray_jobs(world: World, api: KubeApi, number: int, spec: dict[str, Any]) -> Taken:
    fleet = Fleet(api, f"jobs-{number}")
    world.cluster.create_namespace(fleet.namespace)
    manifests = [ray_job(f"job-{it:04d}", spec) for it in range(number)]
    make, waits = (lambda: fleet.create(fleet.jobs, manifests)), number <= READY_UP_TO
    taken = await world.take(fleet, number, make, until_ready=waits)
    await fleet.delete_jobs()
    return taken


async def after_preparing(world: World, api: KubeApi, number: int) -> Taken:
    fleet = Fleet(api, f"prepared-{number}")
    _, bodies = await world.prepared(fleet, number)
    taken = await world.take(fleet, number, lambda: fleet.answer_preparing(bodies))
    await fleet.delete(fleet.trainings)
    return taken


async def ours(world: World, api: KubeApi, number: int) -> Taken:
    fleet = Fleet(api, f"ours-{number}")
    if number > RUNNING:
        names = await world.suspended(fleet, number)
        taken = await world.take(fleet, number, lambda: fleet.resume(names), until_ready=False)
    else:
        if fleet.namespace not in world.taken:
            await world.start(fleet, number)
        taken = world.taken[fleet.namespace]
    if number != RUNNING:
        await fleet.delete(fleet.trainings)
    return taken


async def curve(world: World, figures: Figures) -> None:
    per_object: dict[str, list[float]] = {}
    async with connect(world.cluster.kubeconfig) as api:
        spec = await model_spec(world, api)
        # Those that stay come last: nothing else is measured beside them.
        for number in sorted(CURVE, key=lambda it: (it == RUNNING, it)):
            jobs = await ray_jobs(world, api, number, spec)
            others = {"RayJob": jobs}
            if number <= READY_UP_TO:
                alone = await bare(world, api, number, spec)
                others["ours, prepared"] = await after_preparing(world, api, number)
            others["ours"] = mine = await ours(world, api, number)
            tell(figures, number, mine, jobs)
            if number <= RUNNING:
                tell_writes(figures, number, world.written[f"ours-{number}"])
            if number <= READY_UP_TO:
                tell_ready(figures, number, alone, others)
            for name, taken in (("ours", mine), ("RayJob", jobs)):
                per_object.setdefault(name, []).append(taken.exist / number)
    for name, values in per_object.items():
        growth = max(values) / values[0]
        figures.add_bar(f"growth per object along the curve: {name}", growth, 1.3, unit="x")


def tell(figures: Figures, number: int, mine: Taken, jobs: Taken) -> None:
    figures.add(f"{number} trainings, nothing to prepare -> RayClusters exist", f"{mine.exist:.1f} s")
    figures.add(f"{number} RayJobs -> RayClusters exist", f"{jobs.exist:.1f} s")
    figures.add_bar("  ours/RayJob", mine.exist / jobs.exist, 1, unit="x")
    for name, taken in (("ours", mine), ("RayJob", jobs)):
        figures.add(f"  CPU seconds until then, {name}", str(taken.used))


def tell_ready(figures: Figures, number: int, alone: Taken, others: dict[str, Taken]) -> None:
    figures.add(f"{number} bare RayClusters -> exist; ready", f"{alone.exist:.1f}; {alone.ready:.1f} s")
    for name, taken in others.items():
        figures.add(f"{number} {name} -> exist; ready", f"{taken.exist:.1f}; {taken.ready:.1f} s")
        figures.add_bar(f"  ready: {name}/bare", taken.ready / alone.ready, 1.1, unit="x")


def tell_writes(figures: Figures, number: int, writes: Counter[str]) -> None:
    total = sum(writes.values()) / number
    figures.add_bar(f"{number} trainings: writes each, apply to Training", total, 22, unit="")
    each = ", ".join(f"{name} {count / number:.1f}" for name, count in writes.most_common())
    figures.add("  of which", each)


def test_the_way_to_a_ray_cluster_beside_ray_jobs_and_bare_ray_clusters(
    world: World, figures: Figures
) -> None:
    asyncio.run(curve(world, figures))
    assert world.running
