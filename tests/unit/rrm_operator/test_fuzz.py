"""5,000 trainings that no one means: whatever is fed, the operator says something valid and never falls over.

`Store.feed` and `Reconciler.reconcile` are called directly: nothing that catches all stands before them.
"""

import functools
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import ConditionType
from rrm_api.status import TrainingStatus
from rrm_operator.errors import OperatorError, RayUnavailable
from rrm_operator.facts import ClaimFact, Key, Manifest, RayClusterFact, RayJobFact
from rrm_operator.ports import Event, RayEndpoint, Ref, Stop, Submission
from rrm_operator.ray_jobs import HttpRayJobs, RayAnswer
from rrm_operator.reconcile import Reconciler
from rrm_operator.store import Store

from .simulation.api_server import merged
from .simulation.garbage import Garbage, labelled
from .simulation.operator_process import KEYS, SETTINGS, finished
from .simulation.timeline import START
from .simulation.world import World, training

pytestmark = pytest.mark.slow
TRAININGS = 5_000
"""Each with up to a dozen children in states that make no sense."""
PARTS = 8
TEMPLATES: tuple[Manifest, ...] = (
    {"spec": None},
    {"metadata": None},
    {"spec": False},
    {"metadata": 0},
    {"spec": ""},
    {"metadata": {"labels": None, "annotations": None}},
    {"spec": {"containers": None}},
    {"spec": {"containers": []}},
    {"spec": {"volumes": None, "initContainers": None}},
    {"spec": {"containers": [{"name": "trainer", "env": None, "volumeMounts": None}]}},
    {"spec": {"containers": [{"name": "trainer", "resources": 7, "lifecycle": False}]}},
    {"spec": {"terminationGracePeriodSeconds": None}},
    {"spec": {"terminationGracePeriodSeconds": "x"}},
    {"spec": {"tolerations": 7, "nodeSelector": [], "securityContext": None}},
)
"""The schema leaves pod templates alone, so all of this can be applied."""
MOMENTS = (5.0, 9.0, 30.0, 79.0, 84.0, 200.0)
"""Seconds into a life: preparing, provisioning, training, releasing, exporting, succeeded."""


@pytest.fixture(autouse=True)
def _quiet_operator() -> Iterator[None]:
    log = logging.getLogger("rrm_operator")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


@functools.cache
def lives() -> tuple[tuple[Manifest, ...], ...]:
    """Return all that exists at several moments of an ordinary life."""
    world, found = World(), []
    world.create(training())
    for moment in MOMENTS:
        world.operator.run_until(START + moment)
        found.append(tuple(it for it in world.api.objects.values() if labelled(it)))
    return tuple(found)


class Outside:
    """Ports that take everything; Ray answers garbage, through the real reading of its answers."""

    def __init__(self, garbage: Garbage, store: Store, live: Manifest) -> None:
        self.garbage, self.store, self.live = garbage, store, live
        self.statuses = 0
        self.ray = HttpRayJobs(self, self)

    def now(self) -> float:
        return START + 500.0

    async def send(self, endpoint: RayEndpoint, method: str, path: str, body: Any = None) -> RayAnswer:
        return RayAnswer(*self.garbage.answer())

    async def submit(self, submission: Submission) -> None:
        await self.ray.submit(submission)

    async def stop(self, stop: Stop) -> None:
        await self.ray.stop(stop)

    async def look(self, endpoint: RayEndpoint, submission_id: str) -> RayJobFact:
        return await self.ray.look(endpoint, submission_id)

    async def create(self, manifest: Manifest) -> None: ...

    async def apply(self, manifest: Manifest) -> None: ...

    async def patch(self, ref: Ref, patch: Manifest) -> None: ...

    async def delete(self, ref: Ref) -> None: ...

    async def get_claim(self, namespace: str, name: str) -> ClaimFact | None:
        return None

    async def get_ray_cluster(self, namespace: str, name: str) -> RayClusterFact | None:
        seen = self.store.snapshot(Key(namespace, self.live["metadata"]["name"]))
        known = next((it for it in seen.clusters if it.name == name), None) if seen is not None else None
        chance, text = self.garbage.chance, self.garbage.text()
        if known is None or chance.random() < 0.2:
            return None
        flags = {it: chance.random() < 0.5 for it in ("suspended", "deleting", "head_ready", "provisioned")}
        return replace(known, resumed_time=text, **flags)

    async def patch_status(self, key: Key, status: Manifest, *, resource_version: str | None) -> None:
        self.statuses += 1
        self.live = merged(self.live, {"status": status})
        self.store.feed(group.KIND, self.live)

    async def emit(self, training: Manifest, event: Event) -> None:
        assert event.message, "an event that says nothing"


def fuzz(seed: int) -> int:
    """Feed one life of garbage, look at it, and return how many objects that were."""
    garbage = Garbage(seed)
    objects = garbage.chance.choice(lives())
    store = Store()
    store.set_kuberay(installed=garbage.chance.random() > 0.1)
    valid = next(it for it in objects if it["kind"] == group.KIND)
    spoilt = garbage.training(valid)
    store.feed(group.KIND, spoilt)
    fed = 1
    for child in objects:
        if child["kind"] != group.KIND and garbage.chance.random() < 0.8:
            owner = {**child["metadata"], "ownerReferences": _owners(child, valid, spoilt)}
            store.feed(child["kind"], garbage.child({**child, "metadata": owner}))
            fed += 1
    outside = Outside(garbage, store, spoilt)
    key = Key(spoilt["metadata"]["namespace"], spoilt["metadata"]["name"])
    reconciler = Reconciler(store, outside, outside, outside, SETTINGS, KEYS)
    for _ in range(3):
        try:
            finished(reconciler.reconcile(key))
        except OperatorError:
            continue
    status = outside.live.get("status")
    if outside.statuses:
        assert isinstance(status, dict)
        TrainingStatus.model_validate(status)
        conditions = {it["type"]: it for it in status["conditions"]}
        assert list(conditions) == [it.value for it in ConditionType]
        assert conditions["Ready"]["message"], "a status that says nothing"
    else:
        assert status == spoilt.get("status"), "nothing was written, and nothing was fit to be kept"
        TrainingStatus.model_validate(status or {})
        assert status, "nothing is said about it"
    return fed


def _owners(child: Manifest, valid: Manifest, spoilt: Manifest) -> list[Manifest]:
    """Return the owners of a child, most often with the training's new uid in the place of the old one."""
    old, new = valid["metadata"]["uid"], spoilt["metadata"]["uid"]
    owners = child["metadata"].get("ownerReferences") or []
    return [{**it, "uid": new} if it.get("uid") == old else it for it in owners]


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_stored_the_operator_answers_with_a_status_that_is_valid(part: int) -> None:
    fed = 0
    for seed in range(part, TRAININGS, PARTS):
        try:
            fed += fuzz(seed)
        except Exception as error:
            raise AssertionError(f"fuzz({seed}) ends with {type(error).__name__}: {error}") from error
    print(f"part {part}: {fed:,} objects")


@pytest.mark.parametrize("part", range(4))
def test_whatever_answers_in_the_place_of_ray_is_a_fact_or_no_answer(part: int) -> None:
    garbage = Garbage(part)
    outside = Outside(garbage, Store(), {})
    endpoint = RayEndpoint("demo", "judge-c1", "judge-c1-head-svc", None)
    for _ in range(500):
        try:
            fact = finished(outside.look(endpoint, "0-a1"))  # type: ignore[arg-type]
        except RayUnavailable:
            continue
        else:
            assert isinstance(fact, RayJobFact)
            assert isinstance(fact.message, str)
            assert fact.exit_code is None or isinstance(fact.exit_code, int)


@pytest.mark.parametrize("pods", ["jobs", "workers", "head"])
@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_a_pod_template_of_any_shape_is_refused_in_words_or_trained_with(
    pods: str, template: Manifest
) -> None:
    world, valid = World(), training()
    chosen = {**valid["spec"].get(pods, {}), "podTemplate": template}
    world.create({**valid, "spec": {**valid["spec"], pods: chosen}})
    world.operator.run_until(START + 300.0)
    assert world.stage() in ("Succeeded", "Stalled")
