"""Whatever trainers, pods and Ray say, the status that tells of it is one that the API server accepts."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rrm_api.run import Progress, Record, Role
from rrm_api.structural import structural_schema
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.strategies import endings, exported, pods, prepared, progresses, texts, trained
from tests.unit.structural_rules import faults

SCHEMA = structural_schema(RewardModelTraining)["properties"]["status"]

BY_A_LONG_DIGEST = {"containerStatuses": [{"name": "main", "imageID": f"{'x' * 600}@sha256:0", "state": {}}]}


async def looks(operator: Any) -> None:
    """Look some times at a world that refuses what an API server would, and on into the future."""
    for seconds in (0, 0, 1, 31, 700):
        operator.world.seconds += seconds
        await operator.look()
        said = faults(SCHEMA, operator.world.status)
        assert said == [], said
        assert len(json.dumps(operator.world.status)) < 500_000


async def training(operator: Any, prepared_as: Any = None) -> None:
    world = operator.world
    await operator.settle()
    if prepared_as is None:
        world.prepare_succeeds()
    else:
        world.job_ends(Role.PREPARE, None)
        record = world.record(Role.PREPARE, prepared=None).model_dump(mode="json", by_alias=True)
        write(world, Role.PREPARE, Record, record | {"prepared": prepared_as})
    await operator.settle()
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_reports(1)
    assert await operator.settle() == "Training"


def write(world: Any, key: str, model: Any, document: Any) -> None:
    """Write a document into the progress ConfigMap if its reader takes it."""
    text = json.dumps(document)
    try:
        model.model_validate_json(text)
    except ValidationError:
        assume(False)
    world.write_progress(key, text)


Operators = Callable[..., Any]
PROPERTY = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def make(operator_of: Operators, load_example: Operators) -> Operators:
    return lambda: operator_of(load_example("tiny-cpu"))


@PROPERTY
@given(progress=progresses)
@example(progress={"attempt": 1, "phase": "Rollout", "step": 2, "totalSteps": 24, "time": "soon"})
@example(
    progress={"attempt": 1, "phase": "Rollout", "step": 10**30, "totalSteps": 2**63, "time": "2026-01-01"}
)
@example(
    progress={"attempt": 1, "phase": "Rollout", "step": 2, "totalSteps": 24, "time": "2026-01-01T00:00:00Z",
              "validation": [{"name": "reward", "value": "0.5"}, {"name": "reward", "value": "0.6"}]}
)  # fmt: skip
def test_any_progress_that_can_be_read_can_be_told(progress: Any, make: Operators) -> None:
    async def live() -> None:
        operator = make()
        await training(operator)
        operator.world.seconds += 31
        write(operator.world, "progress", Progress, progress)
        await looks(operator)
        operator.restart()
        await looks(operator)

    asyncio.run(live())


@PROPERTY
@given(prepared_as=prepared)
def test_any_preparation_that_can_be_read_can_be_told(prepared_as: Any, make: Operators) -> None:
    async def live() -> None:
        operator = make()
        await training(operator, prepared_as)
        await looks(operator)

    asyncio.run(live())


@PROPERTY
@given(ending=endings, left=st.one_of(st.none(), trained), progress=st.one_of(st.none(), progresses))
def test_any_end_of_an_attempt_that_can_be_read_can_be_told(
    ending: Any, left: Any, progress: Any, make: Operators
) -> None:
    async def live() -> None:
        operator = make()
        world = operator.world
        await training(operator)
        if progress is not None:
            write(world, "progress", Progress, progress)
        record = {
            "role": "train",
            "attempt": 1,
            "inputDigest": world.digest_read(Role.TRAIN),
            "trained": left,
        }
        write(world, Role.TRAIN, Record, record | ending)
        await looks(operator)
        world.pods_leave()
        await looks(operator)

    asyncio.run(live())


@PROPERTY
@given(ending=endings, left=st.one_of(st.none(), exported), code=st.integers(0, 255), words=texts)
def test_any_end_of_an_export_that_can_be_read_can_be_told(
    ending: Any, left: Any, code: int, words: str, make: Operators
) -> None:
    async def live() -> None:
        operator = make()
        world = operator.world
        await training(operator)
        world.train_ends()
        await operator.settle()
        world.pods_leave()
        assert await operator.settle() == "Exporting"
        write(world, Role.EXPORT, Record, {"role": "export", "inputDigest": "d", "exported": left} | ending)
        world.job_ends(Role.EXPORT, None, exit_code=code, last_words=words)
        await looks(operator)

    asyncio.run(live())


@PROPERTY
@given(
    status=pods,
    role=st.sampled_from(["prepare", "head", "worker"]),
    phase=st.sampled_from(["Pending", "Succeeded", "Failed"]),
    answered=st.booleans(),
)
@example(status=BY_A_LONG_DIGEST, role="prepare", phase="Succeeded", answered=True)
def test_any_words_of_a_pod_can_be_told(
    status: Any, role: str, phase: str, answered: bool, make: Operators
) -> None:
    async def live() -> None:
        operator = make()
        world = operator.world
        await operator.settle()
        if answered or role != "prepare":
            world.prepare_succeeds()
        if role != "prepare":
            await operator.settle()
        owner = world.named(Kind.JOB)[-1] if role == "prepare" else world.newest_cluster
        world.add_pod(owner, role, **{**status, "phase": phase})
        await looks(operator)

    asyncio.run(live())


async def test_a_spec_that_cannot_be_read_is_told_however_much_is_wrong(make: Operators) -> None:
    operator = make()
    operator.world.edit(lambda spec: spec.update({f"{'x' * 200}{number}": 1 for number in range(300)}))
    await looks(operator)
    assert operator.world.status["failure"]["reason"] == "InvalidSpec"
