"""Deadlines that give the GPUs back: for the start, for progress, for everything."""

from typing import Any

import pytest

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_starting, live_until_training

DAY = 86_400


def with_policy(operator: Any, **policy: int) -> Any:
    operator.world.edit(lambda spec: spec.update(policy=policy))
    return operator


UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu.",
        }
    ],
}
NO_IMAGE = {
    "phase": "Pending",
    "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
}


@pytest.mark.parametrize(
    ("pod", "reason", "words"),
    [
        (UNSCHEDULABLE, "Unschedulable", "4 Insufficient nvidia.com/gpu"),
        (NO_IMAGE, "ImageUnavailable", "ImagePullBackOff"),
    ],
)
async def test_pods_that_do_not_start_in_time_give_their_gpus_back_and_a_retry_goes_on(
    operator: Any, pod: Any, reason: str, words: str
) -> None:
    world = operator.world
    await live_until_provisioning(with_policy(operator, startupDeadlineSeconds=100))
    world.add_pod("tiny-judge-c1", "head", **pod)
    assert await operator.settle() == "Provisioning"
    assert words in world.condition("Ready")["message"]
    assert await operator.look() == 100
    world.seconds += 100
    assert await operator.settle() == "Releasing"
    assert world.status["attempts"][0]["reason"] == reason, "told before the deletion"
    world.pods_leave()
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == reason
    assert words in world.condition("Stalled")["message"]
    assert world.condition("Succeeded")["status"] == "Unknown"
    assert world.named(Kind.RAY_CLUSTER) == []
    world.seconds += DAY
    assert await operator.settle() == "Stalled"
    world.annotate(**{group.ANNOTATION_RETRY: "room now"})
    assert await operator.settle() == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]


async def test_a_cluster_that_never_becomes_whole_for_no_known_reason_is_tried_elsewhere(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_provisioning(with_policy(operator, startupDeadlineSeconds=100))
    world.add_pod("tiny-judge-c1", "worker")
    world.seconds += 100
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "BackingOff"
    assert world.status["attempts"][0]["reason"] == "NoProgress"
    assert "tiny-judge-c1-worker" in world.status["attempts"][0]["message"]


async def test_an_attempt_without_a_first_step_in_time_is_stopped_and_tried_again(operator: Any) -> None:
    world = operator.world
    await live_until_starting(with_policy(operator, startupDeadlineSeconds=100))
    world.seconds += 99
    assert await operator.settle() == "Starting"
    world.seconds += 1
    assert await operator.settle() == "Stopping"
    assert world.log.count("stop 0a1b2c3d-a1") == 1
    world.seconds += 20
    assert await operator.settle() == "Releasing"
    attempt = world.status["attempts"][0]
    assert attempt["reason"] == "NoProgress"
    assert "startupDeadlineSeconds" in attempt["message"]
    world.pods_leave()
    assert await operator.settle() == "BackingOff"


async def test_the_deadline_of_the_start_is_one_from_asking_for_gpus_to_the_first_step(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(with_policy(operator, startupDeadlineSeconds=100))
    world.seconds += 60
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    world.seconds += 39
    assert await operator.settle() == "Starting"
    assert await operator.look() == 1
    world.seconds += 1
    assert await operator.settle() == "Stopping"
    world.seconds += 20
    await operator.settle()
    assert "within 100 s of asking for GPUs" in world.status["attempts"][0]["message"]


@pytest.mark.parametrize("loses_status", [False, True])
async def test_an_attempt_on_pods_that_were_kept_has_the_whole_deadline_of_the_start(
    operator: Any, *, loses_status: bool
) -> None:
    world = operator.world
    await live_until_training(with_policy(operator, startupDeadlineSeconds=100), step=7)
    world.seconds += 500
    for pod in world.pods("tiny-judge-c1"):
        world.change_pod(pod, conditions=[{"type": "Ready", "status": "True"}])
    world.train_fails()
    assert await operator.settle() == "BackingOff"
    world.seconds += 10
    assert await operator.settle() == "Starting"
    assert world.submissions[-1].endpoint.cluster == "tiny-judge-c1"
    if loses_status:
        world.train_reports(0, attempt=2)
        world._change(group.KIND, "tiny-judge", lambda it: it.pop("status"))
        operator.restart()
    world.seconds += 89
    assert await operator.settle() == "Starting"
    world.seconds += 100 if loses_status else 1
    assert await operator.settle() == "Stopping"


async def test_a_trainer_that_hangs_is_stopped_with_its_last_words_and_tried_again(operator: Any) -> None:
    world = operator.world
    await live_until_training(with_policy(operator, stallDeadlineSeconds=600), step=7)
    world.seconds += 599
    assert await operator.settle() == "Training"
    world.seconds += 1
    await operator.look()
    assert world.status["stage"] == "Stopping"
    assert world.log[-2:] == ["status", "stop 0a1b2c3d-a1"]
    progress = world.objects[Kind.CONFIG_MAP, "tiny-judge-progress"]
    assert "annotations" not in progress["metadata"] or (
        group.ANNOTATION_STOP_ATTEMPT not in progress["metadata"]["annotations"]
    ), "what hangs cannot save"
    killed = {"result": Result.FAILED, "reason": Reason.TRAINING_FAILED, "exit_code": 143}
    words = {"message": "ended by SIGTERM", "log_tail": "waiting for the rollout server"}
    world.write_record(world.record(Role.TRAIN, attempt=1, **killed, **words))
    assert await operator.settle() == "Releasing"
    attempt = world.status["attempts"][0]
    assert attempt["reason"] == "NoProgress"
    assert "since step 7" in attempt["message"]
    assert "Ray pods were ready" in attempt["message"]
    assert world.status["failure"]["logTail"] == "waiting for the rollout server"
    world.pods_leave()
    assert await operator.settle() == "BackingOff"


async def test_progress_puts_the_stall_off(operator: Any) -> None:
    world = operator.world
    await live_until_training(with_policy(operator, stallDeadlineSeconds=600), step=7)
    for step in range(8, 20):
        world.seconds += 500
        world.train_reports(step)
        assert await operator.settle() == "Training"


async def test_the_deadline_of_everything_saves_gives_back_and_fails_until_it_is_raised(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(with_policy(operator, activeDeadlineSeconds=1000), step=7)
    world.seconds += 1000
    assert await operator.settle() == "Stopping"
    assert world.status["attempts"][0]["stopReason"] == "DeadlineExceeded"
    world.seconds += 620
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert world.condition("Stalled")["reason"] == "DeadlineExceeded"
    world.seconds += DAY
    assert await operator.settle() == "Failed"
    world.edit(lambda spec: spec["policy"].update(activeDeadlineSeconds=5000))
    assert await operator.settle() == "Provisioning"


async def test_time_in_suspension_does_not_count_for_the_deadline(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(with_policy(operator, activeDeadlineSeconds=1000))
    world.seconds += 600
    world.edit(lambda spec: spec.update(suspend=True))
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Suspended"
    assert world.status["active"] == {"seconds": 600}
    assert await operator.look() is None
    world.seconds += DAY
    assert await operator.settle() == "Suspended"
    world.edit(lambda spec: spec.update(suspend=False))
    assert await operator.settle() == "Provisioning"
    world.seconds += 399
    assert await operator.settle() == "Provisioning"
    world.seconds += 1
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Failed"
    world.annotate(**{group.ANNOTATION_RETRY: "another day"})
    assert await operator.settle() == "Provisioning"
    assert world.status["active"]["seconds"] == 0


async def test_a_deadline_while_preparing_ends_the_job(operator: Any) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"activeDeadlineSeconds": 50}))
    assert await operator.settle() == "Preparing"
    world.seconds += 50
    assert await operator.settle() == "Failed"
    assert world.named(Kind.JOB) == []
    assert world.condition("DataPrepared")["status"] == "Unknown"


async def test_a_pod_of_a_job_that_cannot_run_is_told_after_a_while_and_goes_on_by_itself(
    operator: Any,
) -> None:
    world = operator.world
    world.edit(lambda spec: spec.update(policy={"startupDeadlineSeconds": 60}))
    await operator.settle()
    (job,) = world.named(Kind.JOB)
    world.add_pod(job, "prepare", **UNSCHEDULABLE)
    assert await operator.settle() == "Preparing"
    world.seconds += 60
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "Unschedulable"
    assert world.named(Kind.JOB) == [job], "it holds no GPUs"
    world.change_pod(f"{job}-prepare", phase="Running", conditions=[])
    assert await operator.settle() == "Preparing"


async def test_pods_that_do_not_leave_are_told_with_what_to_do(operator: Any) -> None:
    world = operator.world
    await live_until_training(with_policy(operator), step=7)
    world.delete_pod("tiny-judge-c1-head")
    assert await operator.settle() == "Releasing"
    assert await operator.look() == 60
    world.seconds += 300
    assert await operator.settle() == "Stalled"
    assert world.condition("Stalled")["reason"] == "PodsStuck"
    assert "kubectl delete node" in world.condition("Stalled")["message"]
    assert len(world.submissions) == 1, "they might still write checkpoints"
    world.pods_leave()
    assert await operator.settle() == "Provisioning"


async def test_an_attempt_that_nobody_was_there_to_submit_in_time_has_its_whole_deadline(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_provisioning(with_policy(operator, startupDeadlineSeconds=600))
    world.cluster_becomes_ready()
    world.seconds += 700
    assert await operator.settle() == "Starting"
    assert "stopReason" not in world.status["attempts"][0]
    world.seconds += 599
    assert await operator.settle() == "Starting"
    world.seconds += 1
    assert await operator.settle() == "Stopping"
    assert world.status["attempts"][0]["stopReason"] == "NoProgress"
