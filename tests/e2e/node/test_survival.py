"""A training that outlives faults of pods, node and process one after the other, and at last is finished.

All is real but the training itself: operator, KubeRay, Ray, prepare Job, thin parent, preStop and volume.
The weights of a rehearsal are a chain of hashes, so that a step lost or done twice would show at its end.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.demo.watch import RESOURCE
from rrm_test_cluster.node.kubelet import NODE_NAME
from rrm_test_cluster.rehearsal import Act, Fault
from rrm_test_cluster.rehearsal.child import saved_state, state_after
from tests.e2e.node.lives import QUICK, SAVE_EVERY, SLOW, STEPS, Life, begin, delete, evict
from tests.e2e.operator.outages import stopped

pytestmark = pytest.mark.node

OUTAGE_SECONDS = 20.0


@pytest.fixture(scope="module")
def survivor(rehearsals: Any) -> Life:
    return begin(rehearsals, "survivor", policy={**QUICK, "onDrain": "Save"})


def test_a_deleted_worker_saves_and_the_next_attempt_goes_on_from_there(survivor: Life) -> None:
    with survivor.outlives("Drained", lost_at_most=0):
        delete(survivor, *survivor.pods("worker"))


def test_a_deleted_head_costs_at_most_the_steps_since_the_last_save(survivor: Life) -> None:
    with survivor.outlives("ClusterLost", "Drained", lost_at_most=SAVE_EVERY):
        delete(survivor, *survivor.pods("head"))


def test_a_worker_that_dies_without_a_word_costs_at_most_the_steps_since_the_last_save(
    survivor: Life,
) -> None:
    with survivor.outlives("TrainerCrashed", "ClusterLost", lost_at_most=SAVE_EVERY):
        (worker,) = survivor.pods("worker")
        survivor.trainings.kubectl("exec", worker, "-c", "ray-worker", "--", "pkill", "-KILL", "raylet")


def test_an_eviction_where_drains_save_costs_not_one_step(survivor: Life) -> None:
    with survivor.outlives("Drained", lost_at_most=0):
        evict(survivor, *survivor.pods("worker"))


def test_a_training_that_hangs_is_ended_at_its_stall_deadline(survivor: Life) -> None:
    with survivor.outlives("NoProgress", lost_at_most=SAVE_EVERY) as attempt:
        hang = Fault(Act.HANG, survivor.steps(attempt)[-1] + 15, attempt)
        survivor.steer(replace(SLOW, faults=(hang,)))


def test_a_checkpoint_that_is_half_written_is_passed_over(survivor: Life) -> None:
    with survivor.outlives("TrainerCrashed", lost_at_most=SAVE_EVERY) as attempt:
        heads = survivor.pods("head")
        step = survivor.steps(attempt)[-1] + 15
        between_saves = step - step % SAVE_EVERY + SAVE_EVERY // 2
        survivor.steer(replace(SLOW, faults=(Fault(Act.HALF_CHECKPOINT, between_saves, attempt),)))
    assert survivor.pods("head") == heads, "a crash among healthy pods needs no new ones"


def test_suspended_it_holds_no_pod_and_resumed_it_has_lost_not_one_step(survivor: Life) -> None:
    with survivor.outlives("Suspended", lost_at_most=0) as attempt:
        suspend(survivor, "true")
        survivor.wait("Suspended", lambda: survivor.status()["stage"] == "Suspended", seconds=60)
        assert survivor.pods() == []
        assert survivor.trainings.names("rayclusters", "training.rrm.dev/training=survivor") == []
        assert survivor.saved() == survivor.steps(attempt)[-1] == survivor.attempts()[-1]["savedStep"]
        suspend(survivor, "false")


def test_a_kubelet_that_is_away_for_a_while_ends_nothing(survivor: Life) -> None:
    with goes_on(survivor), stopped(survivor.trainings.cluster, "kubelet"):
        time.sleep(OUTAGE_SECONDS)


def test_a_node_that_is_not_ready_for_a_while_ends_nothing(survivor: Life) -> None:
    with goes_on(survivor), unready_node(survivor.trainings.cluster):
        time.sleep(OUTAGE_SECONDS)


def test_a_node_that_is_lost_with_its_pods_costs_at_most_the_steps_since_the_last_save(
    survivor: Life,
) -> None:
    with survivor.outlives("ClusterLost", lost_at_most=SAVE_EVERY):
        with unready_node(survivor.trainings.cluster):
            # As when a node is deleted, or a person says that it is gone for good.
            for pod in survivor.pods():
                delete(survivor, pod, "--force", "--grace-period=0")
            time.sleep(5)


def test_after_all_of_it_the_training_is_finished_and_its_weights_are_those_of_an_undisturbed_one(
    survivor: Life,
) -> None:
    survivor.newest()
    survivor.steer(replace(SLOW, step_seconds=0.0))
    survivor.wait("Succeeded", lambda: survivor.status()["stage"] == "Succeeded")
    assert survivor.saved() == STEPS
    assert saved_state(survivor.layout.checkpoints / f"global_step_{STEPS}") == state_after(STEPS)


def suspend(life: Life, value: str) -> None:
    patch = f'{{"spec": {{"suspend": {value}}}}}'
    life.trainings.kubectl("patch", RESOURCE, life.name, "--type=merge", "-p", patch)


@contextmanager
def goes_on(life: Life) -> Iterator[None]:
    """Check that the attempt that trains is the same afterwards, and has made steps meanwhile."""
    attempt = life.newest()
    before = life.steps(attempt)[-1]
    yield
    assert life.steps(attempt)[-1] > before
    life.wait("its steps in the status", lambda: life.step() > before, seconds=60)
    assert life.newest() == attempt


@contextmanager
def unready_node(cluster: Cluster) -> Iterator[None]:
    """Let nobody hear of the node, and say so, as the controllers do after a while."""
    with stopped(cluster, "kubelet"):
        unknown = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "a test"}
        patch = json.dumps({"status": {"conditions": [unknown]}})
        cluster.kubectl("patch", "node", NODE_NAME, "--subresource=status", "--patch", patch)
        yield
    ready = "--for=condition=Ready"
    cluster.kubectl("wait", ready, f"node/{NODE_NAME}", "--timeout=60s")
