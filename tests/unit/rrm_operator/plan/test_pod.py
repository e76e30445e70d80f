"""Pods: what is merged over what, and what nobody can take away from them."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.quantities import amount
from rrm_operator.facts import Kind
from rrm_operator.plan.merge import merge, renamed
from tests.unit.rrm_operator.lives import live_until_exporting, live_until_provisioning

Make = Callable[..., Any]


@pytest.fixture
def pods_of(operator_of: Make, load_example: Make) -> Make:
    """Return the pod templates of a training by role, planned from a changed example."""

    async def plan(change: Callable[[Any], object], *, example: str = "tiny-cpu", **chosen: Any) -> Any:
        manifest = load_example(example)
        change(manifest["spec"])
        operator = operator_of(manifest, **chosen)
        planned = (await live_until_provisioning(operator)).planned
        cluster = next(it["spec"] for (kind, _), it in planned.items() if kind == Kind.RAY_CLUSTER)
        job = next(it["spec"]["template"] for (kind, _), it in planned.items() if kind == Kind.JOB)
        head, workers = cluster["headGroupSpec"], cluster["workerGroupSpecs"][0]
        return {"prepare": job, "head": head["template"], "worker": workers["template"], "start": workers}

    return plan


def main(pod: Any) -> Any:
    return pod["spec"]["containers"][0]


def environment(pod: Any) -> dict[str, Any]:
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in main(pod)["env"]}


def unchanged(spec: Any) -> None:
    """Take the example as it is."""


async def test_gpus_are_asked_for_by_workers_alone(pods_of: Make) -> None:
    pods = await pods_of(unchanged, example="pointwise")
    assert main(pods["worker"])["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert main(pods["worker"])["resources"]["requests"]["nvidia.com/gpu"] == "8"
    assert pods["start"]["replicas"] == 2
    for role in ("prepare", "head"):
        assert "nvidia.com/gpu" not in str(main(pods[role])["resources"])


async def test_a_training_on_cpu_asks_for_no_device_and_counts_gpus_logically(pods_of: Make) -> None:
    pods = await pods_of(unchanged)
    assert "gpu" not in str(main(pods["worker"])["resources"])
    assert pods["start"]["rayStartParams"]["num-gpus"] == "1"
    assert environment(pods["worker"])["VERL_PLATFORM"] == "cpu"


@pytest.mark.parametrize("example", ["pointwise", "tiny-cpu"])
@pytest.mark.parametrize("gpus", range(1, 17))
async def test_a_node_counts_enough_cpus_for_verls_bundles_whatever_its_pod_requests(
    pods_of: Make, gpus: int, example: str
) -> None:
    pods = await pods_of(lambda spec: spec["workers"].update(gpusPerNode=gpus), example=example)
    # 3 per GPU in verl's bundles, up to 2 per GPU in actors beside them, 1 to spare.
    assert int(pods["start"]["rayStartParams"]["num-cpus"]) >= 3 * gpus + 2 * gpus + 1


async def test_only_who_reports_has_a_token_and_the_name_to_report_to(pods_of: Make) -> None:
    pods = await pods_of(unchanged)
    for role, reports in {"prepare": True, "head": True, "worker": False}.items():
        assert pods[role]["spec"]["automountServiceAccountToken"] is reports
        assert ("RRM_PROGRESS_CONFIG_MAP" in environment(pods[role])) is reports


async def test_every_pod_is_restricted(pods_of: Make) -> None:
    pods = await pods_of(unchanged)
    for role in ("prepare", "head", "worker"):
        assert pods[role]["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pods[role]["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert main(pods[role])["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert main(pods[role])["securityContext"]["allowPrivilegeEscalation"] is False
        assert pods[role]["spec"]["enableServiceLinks"] is False


async def test_the_specs_template_lies_over_the_operators_and_both_know_the_alias_trainer(
    pods_of: Make,
) -> None:
    default = {
        "spec": {
            "containers": [
                {
                    "name": "trainer",
                    "env": [{"name": "A", "value": "operator"}, {"name": "B", "value": "operator"}],
                    "volumeMounts": [{"name": "environment", "mountPath": "/opt/venv"}],
                }
            ],
            "volumes": [{"name": "environment", "persistentVolumeClaim": {"claimName": "trainer-env"}}],
        }
    }
    own = {"spec": {"containers": [{"name": "trainer", "env": [{"name": "A", "value": "spec"}]}]}}
    pods = await pods_of(lambda spec: spec["workers"].update(podTemplate=own), default_pod_template=default)
    assert environment(pods["worker"])["A"] == "spec"
    assert environment(pods["worker"])["B"] == "operator"
    assert environment(pods["head"])["A"] == "operator"
    for role in ("prepare", "head", "worker"):
        assert len(pods[role]["spec"]["containers"]) == 1
        assert "/opt/venv" in {it["mountPath"] for it in main(pods[role])["volumeMounts"]}
        assert "/mnt/rrm" in {it["mountPath"] for it in main(pods[role])["volumeMounts"]}


async def test_the_main_container_may_also_be_called_by_its_own_name(pods_of: Make) -> None:
    own = {"spec": {"containers": [{"name": "ray-head", "workingDir": "/w"}, {"name": "logs", "image": "x"}]}}
    pods = await pods_of(lambda spec: spec.update(head={"podTemplate": own}))
    assert main(pods["head"])["workingDir"] == "/w"
    assert [it["name"] for it in pods["head"]["spec"]["containers"]] == ["ray-head", "logs"]


async def test_typed_resources_replace_the_operators_as_a_whole(pods_of: Make) -> None:
    pods = await pods_of(lambda spec: spec["workers"].update(resources={"requests": {"memory": "900Gi"}}))
    assert main(pods["worker"])["resources"] == {"requests": {"memory": "900Gi"}}


@pytest.fixture
def export_of(operator_of: Make, load_example: Make) -> Make:
    """Return the main container of a training's export pod."""

    async def plan(example: str, **jobs: Any) -> Any:
        manifest = load_example(example)
        manifest["spec"]["jobs"] = jobs
        operator = operator_of(manifest)
        world = await live_until_exporting(operator)
        (name,) = (name for name in world.named(Kind.JOB) if "-export-" in name)
        return main(world.objects[Kind.JOB, name]["spec"]["template"])

    return plan


async def test_an_export_has_memory_for_the_fp32_shards_of_the_largest_default_model(export_of: Make) -> None:
    found = (await export_of("pointwise"))["resources"]
    # 8.2 billion numbers of 4 bytes are 31 GiB; the merger holds them beside a copy of rank 0's shard.
    assert amount(found["requests"]["memory"]) >= amount("48Gi")
    assert amount(found["limits"]["memory"]) >= amount("96Gi")


async def test_an_export_of_a_training_on_cpu_fits_on_a_small_machine(export_of: Make) -> None:
    found = (await export_of("tiny-cpu"))["resources"]
    assert amount(found["requests"]["memory"]) <= amount("1Gi")
    assert amount(found["limits"]["memory"]) <= amount("8Gi")


@pytest.mark.parametrize("example", ["pointwise", "tiny-cpu"])
async def test_resources_of_the_spec_hold_for_exports_too(export_of: Make, example: str) -> None:
    own = {"requests": {"memory": "300Gi"}}
    assert (await export_of(example, resources=own))["resources"] == own


async def test_no_template_can_hide_a_pod_from_the_operator(pods_of: Make) -> None:
    labels = {"training.rrm.dev/training": "other", "team": "alignment"}
    own = {"metadata": {"labels": labels}}
    pods = await pods_of(lambda spec: spec.update(jobs={"podTemplate": own}))
    found = pods["prepare"]["metadata"]["labels"]
    assert found["training.rrm.dev/training"] == "tiny-judge"
    assert found["team"] == "alignment"


async def test_keys_travel_as_references(pods_of: Make) -> None:
    pods = await pods_of(unchanged, example="full")
    for role in ("prepare", "head", "worker"):
        found = environment(pods[role])
        assert found["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": "token"}}
        assert found["AWS_SECRET_ACCESS_KEY"] == {"secretKeyRef": {"name": "object-store", "key": "secret"}}


async def test_rows_are_mounted_where_they_are_read_and_weights_everywhere(pods_of: Make) -> None:
    pods = await pods_of(unchanged, example="full")
    mounts = {
        role: {it["mountPath"] for it in main(pods[role])["volumeMounts"]}
        for role in ("prepare", "head", "worker")
    }
    assert {"/mnt/claims/models", "/mnt/claims/own-rows"} <= mounts["prepare"]
    for role in ("head", "worker"):
        assert "/mnt/claims/models" in mounts[role]
        assert "/mnt/claims/own-rows" not in mounts[role]


async def test_a_named_service_account_is_used_and_none_is_made(
    operator_of: Make, load_example: Make
) -> None:
    operator = operator_of(load_example("full"))
    await operator.settle()
    planned = operator.world.planned
    assert not any(kind == Kind.SERVICE_ACCOUNT for kind, _ in planned)
    (binding,) = [it for (kind, _), it in planned.items() if kind == Kind.ROLE_BINDING]
    assert binding["subjects"][0]["name"] == "trainer"


async def test_a_training_called_default_does_not_seize_the_account_default(
    operator_of: Make, load_example: Make
) -> None:
    manifest = load_example("tiny-cpu")
    manifest["metadata"]["name"] = "default"
    operator = operator_of(manifest)
    await operator.settle()
    planned = operator.world.planned
    for kind in (Kind.SERVICE_ACCOUNT, Kind.ROLE, Kind.ROLE_BINDING):
        assert [name for it, name in planned if it == kind] == ["default-trainer"]
    binding = planned[Kind.ROLE_BINDING, "default-trainer"]
    assert binding["roleRef"]["name"] == binding["subjects"][0]["name"] == "default-trainer"
    (job,) = [it for (kind, _), it in planned.items() if kind == Kind.JOB]
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "default-trainer"


def test_a_merge_changes_nothing_in_place() -> None:
    below = {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}
    above = {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "2"}]}]}}
    merged = merge(below, above)
    assert below["spec"]["containers"][0]["env"][0]["value"] == "1"
    assert merged["spec"]["containers"][0]["env"] == [{"name": "A", "value": "2"}]


def test_an_entry_of_a_one_of_is_replaced_as_a_whole() -> None:
    below = {"volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}]}
    above = {"volumes": [{"name": "shm", "hostPath": {"path": "/dev/shm"}}]}
    assert merge(below, above) == above


def test_null_removes_and_a_label_may_be_called_env() -> None:
    below = {"metadata": {"labels": {"env": "a"}}, "spec": {"securityContext": {}, "hostIPC": True}}
    above = {"metadata": {"labels": {"env": "b"}}, "spec": {"securityContext": None}}
    assert merge(below, above) == {"metadata": {"labels": {"env": "b"}}, "spec": {"hostIPC": True}}


def test_the_alias_means_the_main_container_only_where_containers_are_named() -> None:
    assert renamed({"metadata": {}}, alias="trainer", main="main") == {"metadata": {}}
