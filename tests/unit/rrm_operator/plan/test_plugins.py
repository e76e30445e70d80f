"""`spec.plugins` in pods: mounted read-only everywhere, found after our own code, each claim mounted once."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.run import PLUGINS_MOUNT
from rrm_api.v1alpha1 import RewardModelTraining, parse_training
from rrm_operator.assess.inputs import identity_of, prepare_input_of, shape_of
from rrm_operator.facts import Kind
from tests.unit.rrm_operator.lives import live_until_exporting

Make = Callable[..., Any]
ROLES = ("prepare", "head", "worker", "export")
RAY = ("head", "worker")
JOBS = ("prepare", "export")


@pytest.fixture
def pods_of(operator_of: Make, load_example: Make) -> Make:
    """Return the pod templates of all four roles, planned from a changed example."""

    async def plan(change: Callable[[Any], object], *, example: str = "tiny-cpu") -> dict[str, Any]:
        manifest = load_example(example)
        change(manifest["spec"])
        operator = operator_of(manifest)
        planned = (await live_until_exporting(operator)).planned
        cluster = next(it["spec"] for (kind, _), it in planned.items() if kind == Kind.RAY_CLUSTER)
        jobs = {
            role: next(it for (kind, name), it in planned.items() if kind == Kind.JOB and f"-{role}-" in name)
            for role in ("prepare", "export")
        }
        pods = {role: job["spec"]["template"] for role, job in jobs.items()}
        head, workers = cluster["headGroupSpec"]["template"], cluster["workerGroupSpecs"][0]["template"]
        return {**pods, "head": head, "worker": workers}

    return plan


def test_other_plugins_prepare_and_train_anew_and_keep_the_checkpoints(load_example: Make) -> None:
    def training(plugins: dict[str, str]) -> RewardModelTraining:
        manifest = load_example("tiny-cpu")
        manifest["spec"]["plugins"] = plugins
        return parse_training(manifest)

    before, after = training({"configMapName": "own"}), training({"configMapName": "own-v2"})
    assert shape_of(before) != shape_of(after)
    assert prepare_input_of(before) != prepare_input_of(after)
    assert identity_of(before) == identity_of(after)


def main(pod: Any) -> Any:
    return pod["spec"]["containers"][0]


def path_of(pod: Any) -> Any:
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in main(pod)["env"]}.get("PYTHONPATH")


def mount_of(pod: Any) -> Any:
    (mount,) = [it for it in main(pod)["volumeMounts"] if it["mountPath"] == PLUGINS_MOUNT]
    return mount


def volumes_of(pod: Any) -> dict[str, Any]:
    return {it["name"]: it for it in pod["spec"]["volumes"]}


async def test_a_training_without_plugins_mounts_nothing_and_leaves_the_images_path_alone(
    pods_of: Make,
) -> None:
    pods = await pods_of(lambda spec: None)
    for role in ROLES:
        assert path_of(pods[role]) is None
        assert PLUGINS_MOUNT not in {it["mountPath"] for it in main(pods[role])["volumeMounts"]}


@pytest.mark.parametrize("role", ROLES)
async def test_a_config_map_is_mounted_in_every_pod_and_found_after_our_own_code(
    pods_of: Make, role: str
) -> None:
    pods = await pods_of(lambda spec: spec.update(plugins={"configMapName": "own"}))
    mount = mount_of(pods[role])
    assert mount["readOnly"] is True
    assert volumes_of(pods[role])[mount["name"]]["configMap"] == {"name": "own", "optional": True}
    assert path_of(pods[role]) == ("/opt/rrm:/etc/rrm-plugins" if role in RAY else None)


@pytest.mark.parametrize("role", JOBS)
async def test_a_job_starts_without_the_files_of_the_user_on_its_path(pods_of: Make, role: str) -> None:
    """It has to read their names before one of them can hide a module of Python's own."""
    pods = await pods_of(lambda spec: spec.update(plugins={"claimName": "code", "path": "judges/v2"}))
    assert path_of(pods[role]) is None


@pytest.mark.parametrize("role", ROLES)
async def test_a_folder_of_a_claim_is_mounted_and_on_the_path_of_ray(pods_of: Make, role: str) -> None:
    plugins = {"claimName": "code", "path": "judges/v2"}
    pods = await pods_of(lambda spec: spec.update(plugins=plugins))
    claim = volumes_of(pods[role])[mount_of(pods[role])["name"]]["persistentVolumeClaim"]
    assert claim == {"claimName": "code", "readOnly": True}
    assert path_of(pods[role]) == ("/opt/rrm:/etc/rrm-plugins/judges/v2" if role in RAY else None)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("claim", ["models", "tiny-claim"])
async def test_a_claim_that_a_pod_has_already_is_mounted_a_second_time_not_declared_twice(
    pods_of: Make, role: str, claim: str
) -> None:
    def change(spec: Any) -> None:
        spec["plugins"] = {"claimName": claim}
        spec["model"] = {"name": "m", "volume": {"claimName": "models", "path": "x"}}
        spec["checkpoints"]["volume"] = {"claimName": "tiny-claim"}

    pod = (await pods_of(change))[role]
    claims = [it.get("persistentVolumeClaim", {}).get("claimName") for it in pod["spec"]["volumes"]]
    assert claims.count(claim) == 1
    assert mount_of(pod)["name"] in volumes_of(pod)
    assert mount_of(pod)["readOnly"] is True


async def test_a_volume_called_plugins_of_somebodys_pod_template_takes_nothing_away(pods_of: Make) -> None:
    def change(spec: Any) -> None:
        spec["plugins"] = {"configMapName": "own"}
        spec["head"] = {"podTemplate": {"spec": {"volumes": [{"name": "plugins", "emptyDir": {}}]}}}

    pod = (await pods_of(change))["head"]
    assert volumes_of(pod)[mount_of(pod)["name"]]["configMap"]["name"] == "own"
    assert "emptyDir" in volumes_of(pod)["plugins"]


async def test_a_path_of_the_specs_own_is_extended_not_replaced(pods_of: Make) -> None:
    def change(spec: Any) -> None:
        spec["plugins"] = {"configMapName": "own"}
        spec["env"] = [{"name": "PYTHONPATH", "value": "/opt/rrm:/opt/more"}]

    pods = await pods_of(change)
    assert {path_of(pods[role]) for role in RAY} == {"/opt/rrm:/opt/more:/etc/rrm-plugins"}
    assert {path_of(pods[role]) for role in JOBS} == {"/opt/rrm:/opt/more"}


async def test_the_folder_of_the_plugins_moves_to_the_end_of_a_path_that_has_it(pods_of: Make) -> None:
    def change(spec: Any) -> None:
        spec["plugins"] = {"configMapName": "own"}
        spec["env"] = [{"name": "PYTHONPATH", "value": "/etc/rrm-plugins:/opt/rrm"}]

    pods = await pods_of(change)
    assert {path_of(pods[role]) for role in RAY} == {"/opt/rrm:/etc/rrm-plugins"}


async def test_a_path_that_comes_from_elsewhere_is_left_alone(pods_of: Make) -> None:
    source = {"secretKeyRef": {"name": "settings", "key": "path"}}

    def change(spec: Any) -> None:
        spec["plugins"] = {"configMapName": "own"}
        spec["env"] = [{"name": "PYTHONPATH", "valueFrom": source}]

    pods = await pods_of(change)
    assert {str(path_of(pods[role])) for role in ROLES} == {str(source)}


async def test_rows_of_tests_and_of_benchmarks_are_mounted_where_they_are_read(pods_of: Make) -> None:
    def change(spec: Any) -> None:
        source = {"format": "helpsteer2_pointwise"}
        spec["data"]["test"] = {"sources": [{**source, "uri": "pvc://held-out/rows.jsonl"}]}
        spec["data"]["decontaminate"] = [{**source, "uri": "pvc://benchmarks/rows.jsonl"}]

    pods = await pods_of(change)
    mounts = {role: {it["mountPath"] for it in main(pods[role])["volumeMounts"]} for role in ROLES}
    assert {"/mnt/claims/held-out", "/mnt/claims/benchmarks"} <= mounts["prepare"]
    assert not {"/mnt/claims/held-out", "/mnt/claims/benchmarks"} & mounts["worker"]
