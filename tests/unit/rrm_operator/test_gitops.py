"""What Argo CD (our Lua), and Flux and Helm 4 (kstatus) make of the statuses that the operator writes."""

import copy
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from rrm_api.conditions import Reason, Stage
from rrm_api.run import Result, Role
from rrm_operator.facts import Manifest

ROOT = Path(__file__).parents[3]
HEALTH = ROOT / "charts/rrm-operator/files/argocd-health.lua"
GUIDE = ROOT / "docs/guides/gitops.md"
CRD = ROOT / "crds/training.rrm.dev_rewardmodeltrainings.yaml"

CLOSED = ("string", "math", "io", "os", "debug", "coroutine", "package", "bit", "jit", "python")
"""Libraries that Argo CD's Lua lacks, and some that we do not need either."""

MEANS = {
    Stage.TRAINING: ("Healthy", "Current"),
    Stage.SUCCEEDED: ("Healthy", "Current"),
    Stage.SUSPENDED: ("Suspended", "Current"),
    Stage.STALLED: ("Degraded", "Failed"),
    Stage.FAILED: ("Degraded", "Failed"),
}
IN_PROGRESS = ("Progressing", "InProgress")


def argo_cd(training: Manifest) -> Manifest:
    """Return what our script says, run as Argo CD runs it: Lua 5.1, `obj`, few libraries."""
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute('getmetatable("").__index = nil')  # What is left of `string` in each text.
    names = lua.globals()
    for library in CLOSED:
        names[library] = None
    names["obj"] = lua.table_from(training, recursive=True)
    health = dict(lua.execute(HEALTH.read_text(encoding="utf-8")))
    assert health.keys() == {"status", "message"}
    return health


def kstatus(training: Manifest) -> str:
    """Return the status by kstatus' rules for kinds that it does not know, in their order."""
    status, metadata = training.get("status", {}), training["metadata"]
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    conditions = status.get("conditions", [])
    for it in conditions:
        if (it["type"], it["status"]) == ("Reconciling", "True"):
            return "InProgress"
        if (it["type"], it["status"]) == ("Stalled", "True"):
            return "Failed"
    ready = [it["status"] for it in conditions if it["type"] == "Ready"]
    return "Current" if ready in ([], ["True"]) else "InProgress"


def suspends(spec: Any) -> None:
    spec["suspend"] = True


async def prepares(operator: Any) -> None:
    await operator.settle()


async def provisions(operator: Any) -> None:
    await prepares(operator)
    operator.world.prepare_succeeds()
    await operator.settle()


async def starts(operator: Any) -> None:
    await provisions(operator)
    operator.world.cluster_becomes_ready()
    await operator.settle()


async def trains(operator: Any) -> None:
    await starts(operator)
    operator.world.train_reports(7)
    await operator.settle()


async def stops(operator: Any) -> None:
    await trains(operator)
    operator.world.edit(suspends)
    await operator.settle()


async def rests(operator: Any) -> None:
    await stops(operator)
    world = operator.world
    world.train_reports(7, saved=7)
    left = {"result": Result.STOPPED, "reason": Reason.CHECKPOINT_SAVED, "exit_code": 30}
    world.write_record(world.record(Role.TRAIN, attempt=1, message="stopped", **left))
    await operator.settle()
    world.pods_leave()
    await operator.settle()


async def backs_off(operator: Any) -> None:
    await releases_a_crash(operator)
    operator.world.pods_leave()
    await operator.settle()


async def releases_a_crash(operator: Any) -> None:
    await trains(operator)
    operator.world.train_fails(exit_code=137)
    await operator.settle()
    operator.world.delete_pod(f"{operator.world.newest_cluster}-worker")
    await operator.settle()


async def fails(operator: Any) -> None:
    operator.world.edit(lambda spec: spec.update(policy={"maxRestarts": 0}))
    await backs_off(operator)


async def releases(operator: Any) -> None:
    await trains(operator)
    operator.world.train_ends()
    await operator.settle()


async def exports(operator: Any) -> None:
    await releases(operator)
    operator.world.pods_leave()
    await operator.settle()


async def succeeds(operator: Any) -> None:
    await exports(operator)
    operator.world.export_succeeds()
    await operator.settle()


async def waits_for_a_namesake_to_leave(operator: Any) -> None:
    await prepares(operator)
    manifest = copy.deepcopy(operator.world.training) | {"status": {}}
    manifest["metadata"]["uid"] = "0a1b2c3d-0000-4000-8000-000000000002"
    operator.world.apply_training(manifest)
    await operator.settle()


async def stalls(operator: Any) -> None:
    operator.world.store.set_kuberay(installed=False)
    await operator.settle()


WAYS: dict[Stage, Callable[[Any], Awaitable[None]]] = {
    Stage.PENDING: waits_for_a_namesake_to_leave,
    Stage.PREPARING: prepares,
    Stage.PROVISIONING: provisions,
    Stage.STARTING: starts,
    Stage.TRAINING: trains,
    Stage.STOPPING: stops,
    Stage.SUSPENDED: rests,
    Stage.BACKING_OFF: backs_off,
    Stage.RELEASING: releases,
    Stage.EXPORTING: exports,
    Stage.SUCCEEDED: succeeds,
    Stage.STALLED: stalls,
    Stage.FAILED: fails,
}


def test_there_is_a_way_to_every_stage() -> None:
    assert WAYS.keys() == set(Stage)


@pytest.mark.parametrize("stage", Stage)
async def test_argo_cd_and_kstatus_say_of_a_stage_what_our_conditions_say(
    operator: Any, stage: Stage
) -> None:
    await WAYS[stage](operator)
    world = operator.world
    assert world.status["stage"] == stage
    health, (by_argo_cd, by_kstatus) = argo_cd(world.training), MEANS.get(stage, IN_PROGRESS)
    assert (health["status"], kstatus(world.training)) == (by_argo_cd, by_kstatus)
    ready = world.condition("Ready")
    assert ready["reason"] in health["message"]
    assert ready["message"] in health["message"]
    true = {it["type"] for it in world.status["conditions"][:4] if it["status"] == "True"}
    assert {"Ready", "Reconciling", "Stalled"} & true == {
        {"Current": "Ready", "Failed": "Stalled", "InProgress": "Reconciling"}[by_kstatus]
    }


def test_the_guide_says_the_same_of_every_stage() -> None:
    rows = re.findall(
        r"^\| (.+) \| (\w+) \| (\w+) \|$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    told = {stage: (argo, other) for names, argo, other in rows for stage in re.findall(r"`(\w+)`", names)}
    assert told == MEANS
    assert [(argo, other) for names, argo, other in rows if names.startswith("all others")] == [IN_PROGRESS]


@pytest.mark.parametrize("stage", Stage)
async def test_what_was_said_of_an_older_spec_says_nothing_of_this_one(operator: Any, stage: Stage) -> None:
    await WAYS[stage](operator)
    operator.world.edit(lambda spec: spec["training"].update(learningRate="1e-5"))
    training = operator.world.training
    assert training["status"]["observedGeneration"] < training["metadata"]["generation"]
    assert (argo_cd(training)["status"], kstatus(training)) == IN_PROGRESS


def test_a_training_is_in_progress_from_its_birth(load_example: Callable[[str], Manifest]) -> None:
    """Kstatus takes what has no status for done: the CRD's default is what it sees."""
    (version,) = yaml.safe_load(CRD.read_text(encoding="utf-8"))["spec"]["versions"]
    born = load_example("pointwise")
    assert argo_cd(born)["status"] == "Progressing"
    born["status"] = version["schema"]["openAPIV3Schema"]["properties"]["status"]["default"]
    assert (argo_cd(born)["status"], kstatus(born)) == IN_PROGRESS


@pytest.mark.parametrize("lost", ["conditions", "Ready", "Stalled"])
async def test_of_half_a_status_nothing_good_is_said(operator: Any, lost: str) -> None:
    await stalls(operator)
    training = copy.deepcopy(operator.world.training)
    kept = [it for it in training["status"].pop("conditions") if it["type"] != lost]
    if lost != "conditions":
        training["status"]["conditions"] = kept
    expected = "Degraded" if lost == "Ready" else "Progressing"
    assert argo_cd(training)["status"] == expected
