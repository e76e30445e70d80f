"""An unchanged world costs no request to the API server."""

import time
from typing import Any

import pytest

from rrm_test_cluster import Cluster

pytestmark = pytest.mark.fakenodes
QUIET_SECONDS = 60


def settled(world: Any) -> int:
    """Return how much was asked for, once nothing more has been for five seconds."""
    count = -1
    while count != (now := len(world.operator.asked())):
        count = now
        time.sleep(5)
    return count


def test_a_training_that_trains_and_one_that_is_done_cost_no_request(
    make_world: Any, fake_nodes_cluster: Cluster, manifest: Any
) -> None:
    # The rare lists are allowed, and would fall into the quiet minute now and then.
    world = make_world(fake_nodes_cluster, relist_seconds="3600")
    world.operator.start()
    trains, done = world.apply(manifest("trains")), world.apply(manifest("done"))
    for judge in (trains, done):
        judge.prepared()
    world.until("two submissions", lambda: len(world.ray.submitted) == 2, seconds=120)
    for judge in (trains, done):
        judge.progress(1, step=3)
        world.stage(judge.training, "Training")
    done.trained()
    world.stage("done", "Exporting", seconds=120)
    done.exported()
    world.stage("done", "Succeeded")

    before = settled(world)
    time.sleep(QUIET_SECONDS)
    assert world.operator.asked()[before:] == []
