"""Which trainer image is in force: the prepare pod's by its digest, unless that image is the jobs' own."""

from typing import Any

import pytest

from rrm_api.run import Role
from rrm_operator.facts import Kind

TAG = "registry.example.com/rrm-trainer:1"
OTHER = "registry.example.com/rrm-trainer:2"
FIRST, SECOND = (f"registry.example.com/rrm-trainer@sha256:{digit * 64}" for digit in "ab")


async def prepared(operator: Any, digest: str) -> None:
    """Let the data be prepared by a pod whose node knows its image by digest."""
    world = operator.world
    assert await operator.settle() == "Preparing"
    world.prepare_succeeds()
    ended = {
        "name": "main",
        "imageID": f"docker-pullable://{digest}",
        "state": {"terminated": {"exitCode": 0}},
    }
    world.change_pod(f"{world.named(Kind.JOB)[-1]}-{Role.PREPARE}", containerStatuses=[ended])
    assert await operator.settle() == "Provisioning"


def planned_image(world: Any) -> str:
    cluster = world.objects[Kind.RAY_CLUSTER, world.newest_cluster]
    image: str = cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"]
    return image


async def test_what_trains_gets_the_image_that_prepared_by_its_digest(operator: Any) -> None:
    await prepared(operator, FIRST)
    assert planned_image(operator.world) == FIRST
    assert operator.world.status["resolved"]["image"] == FIRST


@pytest.mark.parametrize("container", ["main", "trainer"])
async def test_an_image_that_only_the_jobs_shall_have_is_not_given_to_what_trains(
    operator: Any, container: str
) -> None:
    own = {"spec": {"containers": [{"name": container, "image": "registry.example.com/other:1"}]}}
    operator.world.edit(lambda spec: spec.update(jobs={"podTemplate": own}))
    await prepared(operator, FIRST)
    assert planned_image(operator.world) == TAG


async def test_the_image_of_an_attempt_stays_until_another_one_is_asked_for(operator: Any) -> None:
    world = operator.world
    await prepared(operator, FIRST)
    world.cluster_becomes_ready()
    await operator.settle()
    world.train_reports(3)
    world.edit(lambda spec: spec["training"].update(learningRate="1e-5"))
    assert await operator.settle() == "Training"
    assert world.status["resolved"]["image"] == FIRST
    assert planned_image(world) == FIRST
    world.edit(lambda spec: spec.update(image=OTHER))
    await operator.settle()
    assert world.status["resolved"]["image"] == FIRST, "it trains on"
    # All at once: the look that plans the next prepare Job is the first that finds the old cluster gone.
    for kind in (Kind.RAY_CLUSTER, Kind.JOB, Kind.POD):
        for name in world.named(kind):
            world.remove(kind, name)
    await operator.settle()
    job = world.objects[Kind.JOB, world.named(Kind.JOB)[-1]]
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == OTHER
    await prepared(operator, SECOND)
    assert planned_image(world) == SECOND
    assert world.status["resolved"]["image"] == SECOND
