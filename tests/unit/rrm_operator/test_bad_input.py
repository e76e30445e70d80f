"""What goes wrong, and how it goes on once a person has put it right."""

from typing import Any

import pytest

from rrm_api.conditions import Reason
from rrm_api.run import Result, Role
from rrm_operator.errors import Forbidden
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_training, stalled

PULL = {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown: registry.example.com/x:1"}}
BAD_NAME = {"waiting": {"reason": "InvalidImageName", "message": 'couldn\'t parse image "X:Y:Z"'}}


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
