"""What goes wrong, and how it goes on once a person has put it right."""

from typing import Any

import pytest

from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.errors import Forbidden
from rrm_operator.facts import Kind, RayJobState
from tests.unit.rrm_operator.lives import live_until_provisioning, live_until_training

PULL = {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown: registry.example.com/x:1"}}
BAD_NAME = {"waiting": {"reason": "InvalidImageName", "message": 'couldn\'t parse image "X:Y:Z"'}}


def stalled(operator: Any) -> Any:
    condition = operator.world.condition("Stalled")
    assert condition["status"] == "True"
    return condition


DATA_FAULT = {
    "result": Result.FAILED,
    "reason": Reason.DATA_INVALID,
    "message": "pvc://demo/helpsteer2/train.jsonl line 7: label verbosity is 9; 0 to 4 is required",
    "exit_code": 10,
}


async def test_invalid_data_stalls_in_its_own_words_and_no_gpu_is_ever_asked_for(operator: Any) -> None:
    await operator.settle()
    operator.world.job_ends(Role.PREPARE, operator.world.record(Role.PREPARE, **DATA_FAULT), exit_code=10)
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "DataInvalid"
    assert stalled(operator)["message"] == DATA_FAULT["message"]
    assert operator.world.condition("DataPrepared")["status"] == "False"
    assert operator.world.status["failure"]["exitCode"] == 10
    assert operator.world.named(Kind.RAY_CLUSTER) == []
    assert await operator.look() is None


async def test_a_missing_model_is_model_unavailable(operator: Any) -> None:
    await operator.settle()
    fault = DATA_FAULT | {"reason": Reason.MODEL_UNAVAILABLE, "exit_code": 12, "message": "no config.json"}
    operator.world.job_ends(Role.PREPARE, operator.world.record(Role.PREPARE, **fault), exit_code=12)
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "ModelUnavailable"


async def test_fixing_the_data_prepares_again_and_goes_on(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.job_ends(Role.PREPARE, world.record(Role.PREPARE, **DATA_FAULT), exit_code=10)
    await operator.settle()
    (first,) = world.named(Kind.JOB)
    world.edit(lambda spec: spec["data"].update(maxInvalidFraction="0.5"))
    assert await operator.settle() == "Preparing"
    assert world.named(Kind.JOB) == []
    world.pods_leave()
    await operator.settle()
    (second,) = world.named(Kind.JOB)
    assert second != first
    world.prepare_succeeds()
    assert await operator.settle() == "Provisioning"
    assert "failure" not in world.status


async def test_a_fixed_environment_prepares_again_although_the_old_answer_still_stands(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.job_ends(Role.PREPARE, world.record(Role.PREPARE, **DATA_FAULT), exit_code=10)
    await operator.settle()
    world.edit(lambda spec: spec.update(env=[{"name": "AWS_REGION", "value": "eu"}]))
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    world.job_ends(Role.PREPARE, None, exit_code=137)
    assert await operator.settle() == "Preparing"
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "PrepareFailed"
    assert "exit code 137" in stalled(operator)["message"]


async def test_a_prepare_job_without_a_record_is_believed_by_its_last_words(operator: Any) -> None:
    await operator.settle()
    record = operator.world.record(Role.PREPARE, **DATA_FAULT)
    operator.world.job_ends(
        Role.PREPARE, None, exit_code=10, last_words=record.model_dump_json(by_alias=True)
    )
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "DataInvalid"


async def test_an_image_that_cannot_be_pulled_is_told_in_the_pods_words_while_preparing(
    operator: Any,
) -> None:
    await operator.settle()
    (job,) = operator.world.named(Kind.JOB)
    operator.world.add_pod(
        job, "prepare", phase="Pending", containerStatuses=[{"name": "main", "state": PULL}]
    )
    assert await operator.settle() == "Preparing"
    ready = operator.world.condition("Ready")
    assert "ErrImagePull: manifest unknown: registry.example.com/x:1" in ready["message"]
    assert ready["status"] == "False"


async def test_an_image_name_that_is_none_stalls_at_once_and_a_right_one_goes_on(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    (job,) = world.named(Kind.JOB)
    world.add_pod(job, "prepare", phase="Pending", containerStatuses=[{"name": "main", "state": BAD_NAME}])
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "ImageUnavailable"
    world.edit(lambda spec: spec.update(image="registry.example.com/right:1"))
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    (job,) = world.named(Kind.JOB)
    template = world.objects[Kind.JOB, job]["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "registry.example.com/right:1"


async def test_without_kuberay_it_stalls_with_the_install_line_and_recovers_by_itself(operator: Any) -> None:
    operator.world.store.set_kuberay(installed=False)
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "KubeRayMissing"
    assert "helm install kuberay-operator" in stalled(operator)["message"]
    operator.world.store.set_kuberay(installed=True)
    assert await operator.settle() == "Preparing"


async def test_a_dead_training_process_is_released_first_and_then_failed(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.train_fails(exit_code=137)
    assert await operator.settle() == "Releasing"
    assert world.status["failure"]["exitCode"] == 137
    assert world.status["failure"]["logTail"] == "last line"
    assert world.condition("Stalled")["status"] == "False"
    assert "delete RayCluster tiny-judge-c1" in world.log
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert stalled(operator)["reason"] == "RestartsExhausted"
    assert "TrainerCrashed: verl died of signal 9" in stalled(operator)["message"]
    assert world.condition("Succeeded")["status"] == "False"
    assert world.events[-1].type == "Warning"
    assert world.named(Kind.PERSISTENT_VOLUME_CLAIM) == ["tiny-judge-checkpoints"]


async def test_a_run_that_ends_with_zero_before_its_last_checkpoint_has_failed(unforgiving: Any) -> None:
    operator = unforgiving
    await live_until_training(operator, step=7)
    operator.world.train_ends(saved=12)
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Failed"
    assert "step 12" in stalled(operator)["message"]


@pytest.mark.parametrize(
    ("change", "value"), [("training", {"learningRate": "1e-5"}), ("workers", {"resources": {"limits": {}}})]
)
async def test_fixing_a_failed_training_starts_the_next_attempt(
    unforgiving: Any, change: str, value: Any
) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.train_fails()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
    world.edit(lambda spec: spec[change].update(value))
    if await operator.settle() == "Preparing":
        world.pods_leave()
        await operator.settle()
        world.prepare_succeeds()
        await operator.settle()
    assert world.status["stage"] == "Provisioning"
    assert world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c2"]
    assert "completionTime" not in world.status
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    assert [it.submission_id for it in world.submissions] == ["0a1b2c3d-a1", "0a1b2c3d-a2"]
    assert [it["number"] for it in world.status["attempts"]] == [1, 2]
    world.train_reports(2, attempt=2)
    assert await operator.settle() == "Training"


async def test_a_deleted_head_is_seen_at_once_and_nothing_happens_before_its_pods_are_gone(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.delete_pod("tiny-judge-c1-head")
    assert await operator.settle() == "Releasing"
    assert world.condition("ClusterReady")["reason"] == "ClusterLost"
    world.edit(lambda spec: spec["training"].update(learningRate="1e-5"))
    world.remove(Kind.POD, "tiny-judge-c1-head")
    world.remove(Kind.RAY_CLUSTER, "tiny-judge-c1")
    assert await operator.settle() == "Releasing", "the worker still writes"
    assert world.named(Kind.RAY_CLUSTER) == []
    world.pods_leave()
    assert await operator.settle() == "Preparing"


async def test_a_lost_head_fails_a_training_without_restarts_and_names_the_head(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.delete_pod("tiny-judge-c1-head")
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"
    assert stalled(operator)["reason"] == "RestartsExhausted"
    assert "tiny-judge-c1-head" in stalled(operator)["message"]


async def test_a_head_that_only_one_witness_misses_is_not_lost(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.remove(Kind.POD, "tiny-judge-c1-head")
    assert await operator.settle() == "Training"
    operator.world.set_cluster(head=False, workers=1)
    assert await operator.settle() == "Releasing"


async def test_a_record_that_comes_after_the_loss_has_the_last_word(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.delete_pod("tiny-judge-c1-head")
    await operator.settle()
    operator.world.train_ends()
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Exporting"


async def test_a_head_that_was_restarted_in_place_has_forgotten_the_job(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.change_pod("tiny-judge-c1-head", containerStatuses=[{"name": "main", "restartCount": 1}])
    assert await operator.settle() == "Training", "it was restarted before the job was handed in"
    world.jobs.clear()
    world.seconds += 15
    world.train_reports(8)
    assert await operator.settle() == "Releasing"
    assert world.status["failure"]["reason"] == "ClusterLost"


async def test_a_ray_job_that_ended_without_a_record_fails_after_a_grace(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.jobs["0a1b2c3d-a1"] = RayJobState.FAILED
    world.seconds += 61
    assert await operator.settle() == "Training"
    world.seconds += 10
    assert await operator.settle() == "Releasing"
    assert "Ray says FAILED" in world.status["failure"]["message"]


async def test_a_job_that_somebody_else_stopped_is_no_success(unforgiving: Any) -> None:
    operator, world = unforgiving, unforgiving.world
    await live_until_training(operator, step=7)
    world.jobs["0a1b2c3d-a1"] = RayJobState.STOPPED
    for _ in range(2):
        world.seconds += 61
        await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Failed"


async def test_a_silent_ray_is_lost_only_with_a_second_witness(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.ray_answers = False
    for _ in range(30):
        world.seconds += 15
        assert await operator.settle() == "Training"
    world.set_cluster(head=False, workers=1, reason="ContainersNotReady")
    assert await operator.settle() == "Releasing"
    assert "ContainersNotReady" in world.status["failure"]["message"]


async def test_ray_is_not_asked_while_the_trainer_reports(operator: Any) -> None:
    await live_until_training(operator, step=7)
    looks = operator.world.looks
    for step in range(8, 20):
        operator.world.seconds += 30
        operator.world.train_reports(step)
        await operator.settle()
    assert operator.world.looks == looks


async def test_an_edit_before_the_submission_replaces_the_cluster(operator: Any) -> None:
    world = operator.world
    await live_until_provisioning(operator)
    world.edit(lambda spec: spec["workers"].update(nodeSelector={"pool": "gpu"}))
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Provisioning"
    (cluster,) = world.named(Kind.RAY_CLUSTER)
    group = world.objects[Kind.RAY_CLUSTER, cluster]["spec"]["workerGroupSpecs"][0]
    assert group["template"]["spec"]["nodeSelector"] == {"pool": "gpu"}


async def test_an_edit_while_training_waits_for_the_next_attempt(operator: Any) -> None:
    await live_until_training(operator, step=7)
    operator.world.edit(lambda spec: spec["training"].update(learningRate="1e-5"))
    assert await operator.settle() == "Training"
    assert operator.world.named(Kind.RAY_CLUSTER) == ["tiny-judge-c1"]
    operator.world.train_ends()
    await operator.settle()
    operator.world.pods_leave()
    assert await operator.settle() == "Exporting"
    operator.world.export_succeeds()
    assert await operator.settle() == "Succeeded"


async def test_an_edit_that_makes_the_rows_useless_starts_anew(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.edit(lambda spec: spec["reward"].update(exponential={"k": "3"}))
    assert await operator.settle() == "Releasing"
    assert "failure" not in world.status
    world.pods_leave()
    assert await operator.settle() == "Preparing"
    assert world.status["attempts"][0]["reason"] == "Replaced"


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


async def test_what_the_api_server_refuses_is_told_in_its_words_until_the_spec_is_fixed(
    operator: Any,
) -> None:
    world = operator.world
    world.refuses["Job"] = 'Job "x" is invalid: spec.template.spec.dnsPolicy: unsupported value'
    assert await operator.settle() == "Stalled"
    assert "dnsPolicy" in stalled(operator)["message"]
    world.refuses.clear()
    assert await operator.settle() == "Stalled"
    world.edit(lambda spec: spec.update(jobs={"nodeSelector": {"a": "b"}}))
    assert await operator.settle() == "Preparing"


async def test_what_is_refused_for_good_is_told_although_something_else_may_pass_by_itself(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = operator.world

    async def forbidding(manifest: Any) -> None:
        raise Forbidden("no rights for now", terminating=False)

    monkeypatch.setattr(world, "apply", forbidding)
    world.refuses["PersistentVolumeClaim"] = "spec.resources: Invalid value"
    assert await operator.settle() == "Stalled"
    assert "spec.resources: Invalid value" in stalled(operator)["message"]


async def test_a_failed_export_keeps_the_checkpoints_and_is_tried_again_with_more_memory(
    operator: Any,
) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_ends()
    await operator.settle()
    world.pods_leave()
    await operator.settle()
    world.job_ends(Role.EXPORT, None, exit_code=137)
    world.seconds += 10
    assert await operator.settle() == "Failed"
    assert stalled(operator)["reason"] == "ExportFailed"
    assert world.status["checkpoints"]["latestStep"] == 24
    world.edit(lambda spec: spec.update(jobs={"resources": {"limits": {"memory": "64Gi"}}}))
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Exporting"
    world.export_succeeds()
    assert await operator.settle() == "Succeeded"


async def test_a_lost_volume_stalls(operator: Any) -> None:
    await operator.settle()
    claim = operator.world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    operator.world.store.feed("PersistentVolumeClaim", claim | {"status": {"phase": "Lost"}})
    assert await operator.settle() == "Stalled"
    assert stalled(operator)["reason"] == "VolumeUnavailable"


async def test_a_volume_grows_and_never_shrinks(operator: Any) -> None:
    await operator.settle()
    operator.world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="4Gi"))
    await operator.settle()
    claim = operator.world.objects[Kind.PERSISTENT_VOLUME_CLAIM, "tiny-judge-checkpoints"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "4Gi"
    operator.world.edit(lambda spec: spec["checkpoints"]["volume"].update(size="2048Mi"))
    writes = len([line for line in operator.world.log if line.startswith("patch")])
    await operator.settle()
    assert len([line for line in operator.world.log if line.startswith("patch")]) == writes


async def test_a_namesake_made_after_a_deletion_believes_none_of_the_old_answers(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.train_ends()
    await operator.settle()
    manifest = world.training | {"status": {}}
    manifest["metadata"] = manifest["metadata"] | {"uid": "0a1b2c3d-0000-4000-8000-000000000002"}
    world.apply_training(manifest)
    assert await operator.settle() == "Releasing"
    world.pods_leave()
    assert await operator.settle() == "Pending"
    assert "tiny-judge-progress" in world.condition("Ready")["message"]
    for kind in (Kind.CONFIG_MAP, Kind.SERVICE_ACCOUNT, Kind.ROLE, Kind.ROLE_BINDING, Kind.NETWORK_POLICY):
        for name in world.named(kind):
            world.remove(kind, name)
    assert await operator.settle() == "Preparing"
    assert "attempts" not in world.status or world.status["attempts"] == []


async def test_an_answer_that_cannot_be_read_is_named_instead_of_waited_for(operator: Any) -> None:
    world = operator.world
    await operator.settle()
    world.job_ends(Role.PREPARE, None)
    world.write_progress("prepare", '{"result": "Done"}')
    world.seconds += 10
    assert await operator.settle() == "Stalled"
    assert "its answer cannot be read: prepare: " in stalled(operator)["message"]


async def test_senseless_numbers_from_the_trainer_are_shown_within_their_bounds(operator: Any) -> None:
    world = operator.world
    await live_until_training(operator, step=7)
    world.seconds += 31
    text = world.objects[Kind.CONFIG_MAP, "tiny-judge-progress"]["data"]["progress"]
    world.write_progress("progress", text.replace('"step":7', '"step":99,"etaSeconds":-3'))
    assert await operator.settle() == "Training"
    assert world.status["progress"]["percent"] == 100
    assert world.status["progress"]["etaSeconds"] == 0
