"""A spec that cannot be read, or made into pods: told with its place, while what runs is watched over."""

from typing import Any

from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_training, stalled


async def test_a_pod_template_that_cannot_be_merged_names_its_path_and_a_right_one_goes_on(
    operator: Any,
) -> None:
    operator.world.edit(
        lambda spec: spec.update(jobs={"podTemplate": {"spec": {"containers": {"name": "x"}}}})
    )
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "InvalidSpec"
    assert stalled(operator)["message"].startswith("spec.jobs.podTemplate.spec.containers is a mapping")
    assert operator.world.named(Kind.JOB) == []
    operator.world.edit(lambda spec: spec.update(jobs={}))
    assert await operator.settle() == "Preparing"


async def test_a_bad_pod_template_does_not_touch_what_trains_and_is_still_watched_over(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.edit(lambda spec: spec["workers"].update(podTemplate={"spec": 7}))
    assert await operator.settle() == "Training"
    operator.world.train_fails()
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Stalled"


async def test_a_spec_that_cannot_be_read_names_the_field(operator: Any) -> None:
    operator.world.edit(lambda spec: spec["workers"].update(nodes=0, gpusPerNode="many"))
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "InvalidSpec"
    assert "spec.workers.nodes" in stalled(operator)["message"]
    assert "spec.workers.gpusPerNode" in stalled(operator)["message"]
    operator.world.edit(lambda spec: spec["workers"].update(nodes=1, gpusPerNode=1))
    assert await operator.settle() == "Preparing"


def cannot_be_read(spec: Any) -> None:
    spec["workers"].update(gpusPerNode="many")


async def test_a_spec_that_cannot_be_read_does_not_touch_what_trains_and_gives_its_gpus_back_at_the_end(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(cannot_be_read)
    assert await operator.settle() == "Stalled"
    assert "what runs goes on until it ends, or spec.suspend is true" in stalled(operator)["message"]
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]
    world.train_ends()
    await operator.settle()
    world.pods_leave()
    assert world.named(Kind.RAY_CLUSTER) == []
    world.edit(lambda spec: spec["workers"].update(gpusPerNode=1))
    assert await operator.settle() == "Exporting"


async def test_a_spec_that_cannot_be_read_can_be_suspended(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(cannot_be_read)
    world.edit(lambda spec: spec.update(suspend=True))
    await operator.settle()
    world.pods_leave()
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_an_answer_of_an_earlier_attempt_is_no_end_where_the_spec_cannot_be_read(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_fails(attempt=0)
    world.edit(cannot_be_read)
    await operator.settle()
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]
