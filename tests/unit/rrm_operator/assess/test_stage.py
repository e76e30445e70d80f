"""Every stage has an answer to everything that can happen in it."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import LIFE, live_until


def somebody_deletes_the_cluster(world: Any) -> None:
    for name in world.named(Kind.RAY_CLUSTER):
        world.remove(Kind.RAY_CLUSTER, name)
        for pod in world.pods(name):
            world.remove(Kind.POD, pod)


def somebody_deletes_the_head(world: Any) -> None:
    for name in world.named(Kind.POD):
        if name.endswith("-head"):
            world.delete_pod(name)


def somebody_deletes_the_jobs(world: Any) -> None:
    for name in world.named(Kind.JOB):
        world.remove(Kind.JOB, name)


EVENTS: dict[str, Callable[[Any], object]] = {
    "KubeRay is uninstalled": lambda world: world.store.set_kuberay(installed=False),
    "the learning rate is edited": lambda world: world.edit(
        lambda spec: spec["training"].update(learningRate="1e-5")
    ),
    "the reward is edited": lambda world: world.edit(lambda spec: spec.update(reward={"linear": {}})),
    "the workers' nodes are edited": lambda world: world.edit(
        lambda spec: spec["workers"].update(nodeSelector={"pool": "gpu"})
    ),
    "the jobs' nodes are edited": lambda world: world.edit(
        lambda spec: spec.update(jobs={"nodeSelector": {"pool": "cpu"}})
    ),
    "a pod template is broken": lambda world: world.edit(
        lambda spec: spec["workers"].update(podTemplate={"spec": 7})
    ),
    "somebody deletes the cluster": somebody_deletes_the_cluster,
    "somebody deletes the head": somebody_deletes_the_head,
    "somebody deletes the Jobs": somebody_deletes_the_jobs,
}

P, V, S, T, R, E, D = LIFE
SAME = ""
X, B = "Stalled", "BackingOff"
ANSWERS: dict[str, tuple[str, ...]] = {
    #                              Preparing Provis. Starting Training Releasing Exporting Succeeded
    "KubeRay is uninstalled": (X, X, X, X, SAME, SAME, SAME),
    "the learning rate is edited": (SAME, R, SAME, SAME, SAME, SAME, SAME),
    "the reward is edited": (SAME, R, R, R, SAME, SAME, SAME),
    "the workers' nodes are edited": (SAME, R, SAME, SAME, SAME, SAME, SAME),
    "the jobs' nodes are edited": (SAME, SAME, SAME, SAME, SAME, SAME, SAME),
    "a pod template is broken": (X, R, SAME, SAME, SAME, X, SAME),
    "somebody deletes the cluster": (SAME, SAME, B, B, E, SAME, SAME),
    "somebody deletes the head": (SAME, SAME, R, R, SAME, SAME, SAME),
    "somebody deletes the Jobs": (SAME, SAME, SAME, SAME, SAME, SAME, SAME),
}
CASES = [
    pytest.param(stage, event, answer or stage, id=f"in {stage}, when {event}: {answer or 'nothing changes'}")
    for event, answers in ANSWERS.items()
    for stage, answer in zip(LIFE, answers, strict=True)
]


def test_the_table_is_complete() -> None:
    assert ANSWERS.keys() == EVENTS.keys()


@pytest.mark.parametrize(("stage", "event", "answer"), CASES)
async def test_a_stage_answers_an_event(operator: Any, stage: str, event: str, answer: str) -> None:
    await live_until(operator, stage)
    EVENTS[event](operator.world)
    assert await operator.settle() == answer
    assert len(operator.world.submissions) <= 1
    operator.restart()
    written = list(operator.world.log)
    assert await operator.settle() == answer
    assert operator.world.log == written, "a restart changes nothing"
