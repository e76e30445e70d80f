"""How long nobody looks after the trainings when the operator that holds the Lease goes."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rrm_test_cluster.kube_api import connect
from rrm_test_cluster.rig.figures import Figures
from rrm_test_cluster.rig.fleet import Fleet
from rrm_test_cluster.rig.operator_bench import LONG, World
from rrm_test_cluster.rig.operator_process import OperatorProcess
from rrm_test_cluster.rig.sightings import watching

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
BAR_SECONDS = 20


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def pair(world: World, tmp_path: Path) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """Two operators with one Lease, in the place of the one without: the first holds it."""
    world.operator.stop()
    settings = {**world.operator.settings, "leader_election": "true"}
    namespace = world.operator.namespace
    made = [OperatorProcess(world.cluster, tmp_path / name, namespace, settings) for name in ("one", "two")]
    try:
        for one in made:
            one.install()
            one.launch()
            if one is made[0]:
                until(one.leads)
        time.sleep(10)
        yield made[0], made[1]
    finally:
        for one in made:
            one.close()
        world.operator.start()


def test_a_takeover_by_the_standby(
    world: World, running: str, pair: tuple[OperatorProcess, OperatorProcess], figures: Figures
) -> None:
    leader, standby = pair
    name = world.running[running][-1]

    async def edit_without_a_leader() -> float:
        def is_observed(body: dict[str, dict[str, object]]) -> bool:
            edited = body["spec"].get("policy", {}).get("maxRestarts") == 7
            return (
                edited and body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"]
            )

        async with connect(world.cluster.kubeconfig) as api:
            fleet = Fleet(api, running)
            async with watching(api, fleet.trainings, is_observed) as observed:
                await asyncio.sleep(2)
                leader.kill()
                killed = time.monotonic()
                await fleet.edit(name, {"policy": {"maxRestarts": 7}})
                return await observed.count(1, seconds=LONG) - killed

    seconds = asyncio.run(edit_without_a_leader())
    assert standby.leads()
    figures.add_bar("leader killed -> an edit is observed by the standby", seconds, BAR_SECONDS, unit="s")
    leader.launch()
    time.sleep(10)
    stopped = time.monotonic()
    standby.stop()
    until(leader.leads)
    figures.add("  leader stopped -> the other leads", f"{time.monotonic() - stopped:.1f} s")
