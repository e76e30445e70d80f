"""What is said of a training's health and cost."""

import json
from typing import Any

from rrm_api.conditions import Reason
from rrm_api.run import Finding
from rrm_operator.assess.moments import written
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_starting


def finds(world: Any, *findings: Finding) -> None:
    name = "tiny-judge-progress"
    said = json.loads(world.objects[Kind.CONFIG_MAP, name]["data"]["progress"])
    said["findings"] = [it.manifest() for it in findings]
    world.write_progress("progress", json.dumps(said))


async def test_a_training_is_healthy_until_its_numbers_say_otherwise(operator: Any) -> None:
    world = operator.world
    await live_until_starting(operator)
    assert world.condition("Healthy")["status"] == "Unknown"
    world.train_reports(3)
    assert await operator.settle() == "Training"
    assert (world.condition("Healthy")["status"], world.condition("Healthy")["reason"]) == ("True", "Healthy")
    finds(world, Finding(reason=Reason.PARSE_RATE_LOW, step=3, message="only 12 % could be read"))
    assert await operator.settle() == "Training", "a warning ends nothing"
    healthy = world.condition("Healthy")
    assert (healthy["status"], healthy["reason"]) == ("False", "ParseRateLow")
    assert healthy["message"] == "ParseRateLow since step 3: only 12 % could be read"


async def test_gpu_seconds_are_counted_from_the_placing_of_pods_to_their_end(
    operator_of: Any, load_example: Any
) -> None:
    operator = operator_of(load_example("pointwise"))
    world = operator.world
    await operator.settle()
    world.prepare_succeeds()
    await operator.settle()
    assert "gpuSeconds" not in world.status
    placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": written(world.seconds)}
    name = world.newest_cluster
    world.add_pod(name, "worker", conditions=[placed])
    await operator.settle()
    world.seconds += 100
    world.add_pod(name, "head")
    world.set_cluster(head=True, workers=world.training["spec"]["workers"]["nodes"])
    await operator.settle()
    world.train_reports(1)
    assert await operator.settle() == "Training"
    world.seconds += 1000
    world.train_ends()
    await operator.settle()
    world.seconds += 10
    world.pods_leave()
    assert await operator.settle() == "Exporting"
    cost = world.status["gpuSeconds"]
    assert (cost["held"], cost["training"], cost["holding"], cost["busy"]) == (8 * 1110, 8 * 1000, 0, 0)
