"""A thousand trainings that run: what they cost, and how fast the operator answers beside them."""

import asyncio
import time
from collections import Counter

import pytest

from rrm_api.run import intent_of
from rrm_api.v1alpha1 import parse_training
from rrm_operator.assess import FRESH_SECONDS
from rrm_test_cluster.kube_api import connect
from rrm_test_cluster.rig.figures import Figures, costs, percentile
from rrm_test_cluster.rig.fleet import Fleet, train_record
from rrm_test_cluster.rig.operator_bench import LONG, QUIET_SECONDS, World
from rrm_test_cluster.rig.sightings import watching

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
PROGRESS_SECONDS = 30.0
ENDED = 100
EDITED = 200
MAX_RESTARTS = 6
A_SECOND = 10
"""How many trainings end, or are edited, in a second: one after the other, as people and trainers do it."""


def test_trainings_that_run_and_report_nothing(world: World, running: str, figures: Figures) -> None:
    number = len(world.running[running])
    # After a report Ray is not asked for a minute; in the next it is asked twice as often as from then on.
    time.sleep(FRESH_SECONDS + 5)
    idle(world, figures, f"{number} run, no progress for a minute", bar=False)
    time.sleep(FRESH_SECONDS)
    idle(world, figures, f"{number} run, no progress for longer")


def test_memory_once_nothing_changes(world: World, running: str, figures: Figures) -> None:
    """What a burst of changes has taken is given back meanwhile: the rest is what lasts."""
    number, now = round(world.metric("rrm_trainings")), world.operator.memory()
    figures.add_bar("memory, no training", world.memory["VmRSS"], 100, unit="MB")
    more = (now["VmRSS"] - world.memory["VmRSS"]) / number * 1000
    figures.add_bar("memory, each further 1,000 trainings", more, 40, unit="MB")
    words = f"{now['VmRSS']:.0f} MB, at its peak, while they came, {now['VmHWM']:.0f} MB"
    figures.add(f"  with all {number} trainings", words)


def test_trainings_that_run_and_report_progress(world: World, running: str, figures: Figures) -> None:
    names = world.running[running]

    async def report() -> None:
        async with connect(world.cluster.kubeconfig) as api:
            fleet, started = Fleet(api, running), time.monotonic()
            for number in range(round(QUIET_SECONDS / PROGRESS_SECONDS * len(names))):
                due = started + number * PROGRESS_SECONDS / len(names)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await fleet.progress([names[number % len(names)]], step=4 + number // len(names))

    idle(world, figures, f"{len(names)} run, progress each 30 s", lambda: asyncio.run(report()), bar=False)


def idle(world: World, figures: Figures, what: str, meanwhile: object = None, *, bar: bool = True) -> None:
    """Measure the operator for a while in which nothing but `meanwhile` happens."""
    before, asked_ray = len(world.asked()), world.metric("rrm_ray_requests_total")
    looks = world.metric("rrm_reconciles_total")
    with costs(world.cluster, operator=world.operator.pid) as used:
        if callable(meanwhile):
            meanwhile()
        else:
            time.sleep(QUIET_SECONDS)
    share = used.cpu["operator"] / used.seconds
    asked = Counter(f"{it.verb} {it.resource}" for it in world.asked()[before:])
    if bar:
        figures.add_bar(f"{what}: CPU", share, 0.1, unit="core")
    else:
        figures.add(f"{what}: CPU", f"{share:.2f} core")
    figures.add("  requests to the API server", f"{sum(asked.values())} {dict(asked.most_common(5))}")
    ray = world.metric("rrm_ray_requests_total") - asked_ray
    looks = world.metric("rrm_reconciles_total") - looks
    figures.add("  questions to Ray; looks", f"{ray:.0f}; {looks:.0f} in {used.seconds:.0f} s")


def test_a_restart(world: World, running: str, figures: Figures) -> None:
    number = round(world.metric("rrm_trainings"))
    world.operator.stop()
    before, started = len(world.asked()), time.monotonic()
    world.operator.launch()
    world.operator.wait_ready(seconds=LONG)
    level = time.monotonic() - started
    while world.metric("rrm_reconciles_total") < number:
        time.sleep(0.1)
    looked = time.monotonic() - started
    time.sleep(20)
    writes = world.writes(before)
    figures.add_bar(f"restart with {number} trainings -> ready", level, 15, unit="s")
    figures.add("  -> each looked at once", f"{looked:.1f} s")
    figures.add("  memory at its peak", f"{world.operator.memory()['VmHWM']:.0f} MB")
    figures.add_bar("  writes", len(writes), 0, unit="")


def test_an_edit_is_observed(world: World, running: str, figures: Figures) -> None:
    names = world.running[running][-EDITED:]

    def is_observed(body: dict[str, dict[str, object]]) -> bool:
        observed = body.get("status", {}).get("observedGeneration")
        edited = body["spec"].get("policy", {}).get("maxRestarts") == MAX_RESTARTS
        return edited and observed == body["metadata"]["generation"]

    async def edit() -> list[float]:
        async with connect(world.cluster.kubeconfig) as api:
            fleet, sent = Fleet(api, running), dict[str, float]()
            async with watching(api, fleet.trainings, is_observed) as observed:
                for name in names:
                    await asyncio.sleep(1 / A_SECOND)
                    sent[name] = time.monotonic()
                    await fleet.edit(name, {"policy": {"maxRestarts": MAX_RESTARTS}})
                await observed.count(len(names), seconds=LONG)
            return [observed.seen[name] - it for name, it in sent.items()]

    tell_seconds(figures, f"edit -> observedGeneration, {len(names)} edits", asyncio.run(edit()), bar=1)


def test_the_end_of_a_job_gives_its_gpus_back(world: World, running: str, figures: Figures) -> None:
    names = world.running[running][:ENDED]

    async def end() -> list[float]:
        async with connect(world.cluster.kubeconfig) as api:
            fleet, sent = Fleet(api, running), dict[str, float]()
            bodies = {
                it["metadata"]["name"]: it for it in (await api.request("GET", fleet.trainings))["items"]
            }
            async with watching(api, fleet.clusters, lambda _: True, names_only=True) as clusters:
                for name in names:
                    await asyncio.sleep(1 / A_SECOND)
                    record = train_record(intent_of(parse_training(bodies[name])))
                    sent[name] = time.monotonic()
                    await fleet.answer(name, "train", record)
                await clusters.all_gone([f"{name}-c1" for name in names], seconds=LONG)
            return [clusters.gone[f"{name}-c1"] - it for name, it in sent.items()]

    seconds = asyncio.run(end())
    tell_seconds(figures, f"end of job -> RayCluster deleted, {len(names)} ends", seconds, bar=5)


def tell_seconds(figures: Figures, what: str, seconds: list[float], *, bar: float) -> None:
    figures.add_bar(f"{what}: p99", percentile(seconds, 0.99), bar, unit="s")
    figures.add("  p50", f"{percentile(seconds, 0.5):.3f} s")
