"""Group c: retry, resume and checkpoints."""

from pathlib import Path
from typing import Any

import pytest

from rrm.data.identity import Found, claim_identity
from rrm.data.written import require_rows_of
from rrm.errors import RrmError
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import best_step, list_checkpoints, prune
from rrm_api.run import Phase, Progress, Role, Trained
from rrm_api.status import CheckpointsStatus
from rrm_operator.assess.moments import written
from rrm_operator.facts import Kind
from tests.complaints import lives, trainer
from tests.complaints.lives import CLUSTER, HEAD, WORKER


async def test_kuberay_669_a_lost_node_becomes_a_new_attempt(operator: Any) -> None:
    """A node that is lost ends the job: nothing tries again."""
    world = await lives.live_until_training(operator, saved=2)
    lives.dies(world, WORKER, "NodeLost")
    world.set_cluster(head=True, workers=0)
    lives.crash(world, says="ray.exceptions.ActorDiedError: the actor's node was terminated")
    await lives.next_attempt(operator, 2)
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"], "a node is bad: nothing of it is used again"


async def test_kuberay_1902_an_upgrade_of_the_nodes_costs_no_restart(operator: Any) -> None:
    """Neither the submitter nor the head survives the upgrade of a node pool."""
    operator.world.edit(lambda spec: spec.update(policy={"maxRestarts": 0, "onDrain": "Save"}))
    world = await lives.live_until_training(operator)
    stopped = {"result": "Stopped", "reason": "CheckpointSaved", "message": "stopped after step 5"}
    world.write_record(world.record(Role.TRAIN, attempt=1, exit_code=30, **stopped))
    world.delete_pod(HEAD)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "Drained"
    assert lives.attempt_of(world, 2).get("restarts", 0) == 0


def test_kuberay_2155_every_attempt_goes_on_from_the_last_whole_checkpoint(attempt: Attempt) -> None:
    """A retried job starts from scratch beside its own checkpoints; users ask for a word for `latest`."""
    trainer.save(attempt, 12)
    said = trainer.configuration(attempt)
    assert said["trainer.resume_mode"] == "resume_path"
    assert said["trainer.resume_from_path"].endswith("/checkpoints/global_step_12")


def test_kuberay_2155_a_checkpoint_that_was_cut_off_is_passed_over(attempt: Attempt) -> None:
    """verl's own `auto` believes the tracker file, also when the save it names was cut off."""
    trainer.save(attempt, 12)
    trainer.save(attempt, 18, without="optim")
    assert trainer.configuration(attempt)["trainer.resume_from_path"].endswith("global_step_12")


async def test_kuberay_2479_what_was_reached_outlives_the_cluster(operator: Any) -> None:
    """With the Ray cluster the job's state is lost."""
    world = await lives.live_until_training(operator, saved=2)
    world.delete_pod(HEAD)
    await operator.settle()
    world.pods_leave()
    world.remove(Kind.RAY_CLUSTER, CLUSTER) if world.named(Kind.RAY_CLUSTER) else None
    operator.restart()
    await operator.settle()
    assert world.status["checkpoints"]["latestStep"] == 2
    assert lives.attempt_of(world, 1)["toStep"] == 3


async def test_kuberay_4971_a_crash_is_tried_again_on_the_same_cluster(operator: Any) -> None:
    """Each retry makes a new cluster: minutes of pods, images and weights, for a process that died."""
    world = await lives.live_until_training(operator)
    lives.crash(world)
    await lives.next_attempt(operator, 2)
    assert world.named(Kind.RAY_CLUSTER) == [CLUSTER]
    assert not any(line.startswith("delete RayCluster") for line in world.log)
    assert lives.submitted(world) == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert world.submissions[1].entrypoint.count("--attempt 2") == 1


async def test_kuberay_5211_attempts_have_numbers_and_can_be_forbidden(operator: Any) -> None:
    """A retry has no number that a script could see, and its recreation cannot be held back."""
    operator.world.edit(lambda spec: spec.update(policy={"maxRestarts": 1}))
    world = await lives.live_until_training(operator)
    lives.crash(world)
    await lives.next_attempt(operator, 2)
    assert world.status["attempt"] == 2
    lives.crash(world, attempt=2)
    assert await lives.ended(operator) == "Failed"
    assert world.condition("Stalled")["reason"] == "RestartsExhausted"


async def test_kuberay_4025_state_is_on_the_claim_and_not_in_the_cluster(operator: Any) -> None:
    """Fault tolerance of the GCS is of no use: each retry has another cluster."""
    world = await lives.live_until_training(operator)
    cluster = lives.applied(world, Kind.RAY_CLUSTER)
    assert "gcsFaultToleranceOptions" not in cluster["spec"]
    assert cluster["metadata"]["annotations"]["ray.io/disable-provisioned-head-restart"] == "true"
    first = lives.ray_pods(world)["worker"]["volumes"]
    world.delete_pod(HEAD)
    await lives.next_attempt(operator, 2)
    assert lives.ray_pods(world)["worker"]["volumes"] == first


async def test_trainer_2185_all_ranks_start_together_and_after_the_old_ones_are_gone(operator: Any) -> None:
    """One pod dies and comes back alone: the others hang in a group that it does not join."""
    world = await lives.live_until_training(operator)
    lives.dies(world, HEAD, "NodeLost")
    for _ in range(3):
        assert await operator.settle() == "Releasing"
        world.seconds += 60
    assert len(world.submissions) == 1, "a worker of the lost head still runs, and writes"
    assert WORKER in world.condition("Ready")["message"]
    await lives.next_attempt(operator, 2)
    assert world.pods(CLUSTER) == []


async def test_trainer_3779_a_clean_up_starts_nothing_again(operator: Any) -> None:
    """After its TTL a failed job starts again, and its budget of retries is whole once more."""
    policy = {"maxRestarts": 0, "ttlSecondsAfterFinished": 60}
    operator.world.edit(lambda spec: spec.update(policy=policy))
    world = await lives.live_until_training(operator)
    lives.crash(world)
    assert await lives.ended(operator) == "Failed"
    await lives.pass_time(operator, 61)
    assert world.named(Kind.JOB) == [], "what was to be cleaned up"
    operator.restart()
    assert await lives.pass_time(operator, 86_400) == "Failed"
    assert world.named(Kind.JOB) == world.named(Kind.RAY_CLUSTER) == []
    assert lives.submitted(world) == ["0a1b2c3d-a1"]


async def test_verl_7401_an_exit_of_zero_below_the_planned_steps_is_no_success(operator: Any) -> None:
    """Resumed at an epoch's boundary verl exits with 0 and has trained nothing: it looks complete."""
    world = await lives.live_until_training(operator, saved=12)
    trained = Trained(
        step=12, total_steps=24, checkpoints=CheckpointsStatus(latest_step=12), base=[], best=[]
    )
    world.write_record(world.record(Role.TRAIN, attempt=1, trained=trained))
    await operator.settle()
    assert world.condition("Succeeded")["status"] != "True"
    assert "last whole checkpoint is of step 12, not of step 24" in lives.attempt_of(world, 1)["message"]
    assert not [name for name in world.named(Kind.JOB) if "export" in name]


def test_verl_7401_steps_bound_a_run_and_epochs_do_not(attempt: Attempt) -> None:
    """The loop over epochs is what ends too early after a resume."""
    said = trainer.configuration(attempt)
    assert said["trainer.total_training_steps"] == "24"
    assert said["trainer.total_epochs"] == "1000000"


def test_verl_1446_the_best_checkpoint_is_kept_beside_the_last(attempt: Attempt) -> None:
    """Only the newest checkpoints are kept: the best one is gone when it is asked for."""
    for step in (6, 12, 18, 24):
        trainer.save(attempt, step)
    best = best_step((6, 12, 18, 24), {6: 0.9, 12: 0.5, 18: 0.6, 24: 0.7})
    prune(attempt.layout.checkpoints, keep_last=2, best=best, resumed_from=None)
    assert [it.step for it in list_checkpoints(attempt.layout.checkpoints)] == [6, 18, 24]


async def test_verl_5892_a_resume_that_dies_of_memory_twice_is_told_with_the_knobs(operator: Any) -> None:
    """Loading the checkpoint runs out of memory, each time again, without a word of what to change."""
    world = await lives.live_until_training(operator, saved=2)
    world.delete_pod(HEAD)
    says = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
    for attempt in (2, 3):
        await lives.next_attempt(operator, attempt)
        lives.crash(world, attempt=attempt, says=says)
    assert await lives.ended(operator) == "Failed"
    assert lives.ends(world) == ["ClusterLost", "OutOfMemory", "OutOfMemory"]
    assert world.condition("Stalled")["reason"] == "OutOfMemory"
    assert "spec.training.microBatchSizePerGPU" in world.status["failure"]["message"]


async def test_verl_519_a_save_that_hangs_is_ended(operator: Any) -> None:
    """Gathering the whole state for a save hangs the run: the GPUs idle until somebody looks."""
    world = await lives.live_until_training(operator)
    saving = Progress(attempt=1, phase=Phase.SAVING, step=12, total_steps=24, time=written(world.seconds))
    world.write_progress("progress", saving.model_dump_json(by_alias=True, exclude_none=True))
    await lives.pass_time(operator, 1801)
    assert world.stops == ["0a1b2c3d-a1"]
    await lives.pass_time(operator, 30)
    await lives.next_attempt(operator, 2)
    assert lives.ends(world)[0] == "NoProgress"


def test_rl_2519_other_rows_are_refused_beside_old_checkpoints(attempt: Attempt, tmp_path: Path) -> None:
    """Changed rows beside an old state of the data loader: samples are skipped without a word."""
    claim_identity(attempt.run.intent, attempt.layout, Found("sha256:1"))
    trainer.save(attempt, 12)
    source = {"format": "helpsteer2_pointwise", "uri": "hf://somebody/Else"}
    other = trainer.attempt_on(tmp_path, data={"train": [source]})
    with pytest.raises(RrmError, match="data"):
        claim_identity(other.run.intent, other.layout, Found("sha256:2"))


def test_rl_2519_an_attempt_trains_on_no_rows_but_those_it_was_made_for(attempt: Attempt) -> None:
    """The rows on the volume may have been prepared anew since."""
    attempt.layout.data.mkdir(parents=True)
    with pytest.raises(RrmError):
        require_rows_of(attempt.layout.data, "another digest")


async def test_ray_62340_a_head_that_does_not_come_back_is_replaced(operator: Any) -> None:
    """A head that ran out of memory stays away: its restart policy is Never."""
    world = await lives.live_until_training(operator)
    lives.dies(world, HEAD, "OOMKilled")
    world.set_cluster(head=False, workers=1)
    await lives.next_attempt(operator, 2)
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]
