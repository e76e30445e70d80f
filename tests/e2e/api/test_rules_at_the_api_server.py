"""Every rule of the API, asked of a real API server, with the message a person sees."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.patches import merge_patch

ROOT = Path(__file__).parents[3]
CASES = yaml.safe_load((ROOT / "tests/cases/refused.yaml").read_text(encoding="utf-8"))
BASE = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
FULL = yaml.safe_load((ROOT / "crds/examples/full.yaml").read_text(encoding="utf-8"))
EXAMPLES = sorted((ROOT / "crds/examples").glob("*.yaml"))
CRD = ROOT / "crds/training.rrm.dev_rewardmodeltrainings.yaml"

pytestmark = pytest.mark.api


class Api:
    """`kubectl apply` against the real API server; answers with what a person reads."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster

    def apply(self, manifest: dict[str, Any], *flags: str) -> str | None:
        """Return None if accepted, else the refusal."""
        try:
            self.cluster.kubectl("apply", "-f", "-", *flags, stdin=json.dumps(manifest))
        except CommandFailed as refused:
            return refused.stderr
        return None

    def patch_status(self, name: str, status: str) -> None:
        self.cluster.kubectl(
            "patch", "rmt", name, "--subresource=status", "--type=merge", "-p", f'{{"status": {status}}}'
        )


@pytest.fixture(scope="module")
def served(api_cluster: Any) -> Any:
    api_cluster.client.install_crds(CRD)
    return api_cluster


@pytest.fixture
def api(served: Any) -> Iterator[Api]:
    yield Api(served)
    served.kubectl("delete", "rmt", "--all", "--ignore-not-found")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_api_server_refuses(api: Api, case: dict[str, Any]) -> None:
    refusal = api.apply(merge_patch(BASE, case["patch"]), "--dry-run=server", "--validate=strict")
    assert refusal is not None
    assert case.get("says", case.get("server")) in refusal


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_the_api_server_accepts_the_example(api: Api, example: Path) -> None:
    manifest = yaml.safe_load(example.read_text(encoding="utf-8"))
    assert api.apply(manifest, "--validate=strict") is None


def test_overrides_that_reach_nothing_owned_pass_in_the_greatest_number_and_length(api: Api) -> None:
    """The pattern that the keys are matched with has a cost, which the API server limits."""
    near = ("trainer.project_name", "++data.train_files_of_mine", "~reward.reward_kwargs", "trainer_.nnodes")
    many = [f"+data.{number:02}.".ljust(128, "x") for number in range(64 - len(near))]
    overrides = {key: "1" for key in (*near, *many)}
    patch = {"spec": {"training": {"overrides": overrides}}}
    assert api.apply(merge_patch(BASE, patch), "--dry-run=server", "--validate=strict") is None


def test_a_new_training_counts_as_in_progress_before_the_operator_saw_it(api: Api) -> None:
    api.apply(BASE)
    answer = api.cluster.kubectl("get", "rmt", "helpful-judge", "-o", "jsonpath={.status.observedGeneration}")
    assert answer == "-1"


FROZEN: list[tuple[str, dict[str, Any]]] = [
    ("spec.preset", {"preset": "other"}),
    ("spec.model.name", {"model": {"name": "Qwen/Qwen3-4B"}}),
    ("spec.model.revision", {"model": {"revision": "v2"}}),
    ("spec.model.volume", {"model": {"volume": {"path": "elsewhere"}}}),
    ("spec.method", {"method": "Pairwise", "preset": None, "template": None, "reward": None}),
    ("spec.model.reasoning", {"model": {"reasoning": "Prompted"}}),
    ("spec.data", {"data": {"seed": 2}}),
    ("spec.template", {"template": {"task": "Something else."}}),
    ("spec.reward", {"reward": {"formatWeight": "0.2"}}),
    ("spec.training.batchSize", {"training": {"batchSize": 192}}),
    ("spec.training.rolloutsPerPrompt", {"training": {"rolloutsPerPrompt": 16}}),
    ("spec.training.filterGroups", {"training": {"filterGroups": True}}),
    ("spec.workers.nodes", {"workers": {"nodes": 8}}),
    ("spec.workers.gpusPerNode", {"workers": {"gpusPerNode": 4}}),
    ("spec.workers.accelerator", {"workers": {"accelerator": "CPU"}}),
    ("spec.checkpoints.volume.claimName", {"checkpoints": {"volume": {"claimName": "x", "size": None}}}),
]


@pytest.mark.parametrize(("field", "change"), FROZEN, ids=[field for field, _ in FROZEN])
def test_a_field_freezes_once_a_checkpoint_exists(api: Api, field: str, change: dict[str, Any]) -> None:
    api.apply(FULL)
    changed = merge_patch(copy.deepcopy(FULL), {"spec": change})
    assert api.apply(changed, "--dry-run=server") is None
    api.patch_status(FULL["metadata"]["name"], '{"checkpoints": {"latestStep": 12}}')
    refusal = api.apply(changed, "--dry-run=server")
    assert refusal is not None
    assert f"{field} cannot change once a checkpoint exists; create a new training" in refusal


def test_every_frozen_field_has_a_case() -> None:
    from rrm_api.v1alpha1 import IMMUTABLE_ONCE_SAVED

    assert {f"spec.{'.'.join(path)}" for path in IMMUTABLE_ONCE_SAVED} == {field for field, _ in FROZEN}


def test_what_shapes_only_pods_may_change_at_any_time(api: Api) -> None:
    api.apply(FULL)
    api.patch_status(FULL["metadata"]["name"], '{"checkpoints": {"latestStep": 12}}')
    assert (
        api.apply(merge_patch(FULL, {"spec": {"workers": {"sharedMemory": "128Gi"}, "image": "other:1"}}))
        is None
    )


def test_a_volume_grows_and_never_shrinks(api: Api) -> None:
    api.apply(BASE)
    assert api.apply(merge_patch(BASE, {"spec": {"checkpoints": {"volume": {"size": "1Ti"}}}})) is None
    refusal = api.apply(merge_patch(BASE, {"spec": {"checkpoints": {"volume": {"size": "600Gi"}}}}))
    assert refusal is not None
    assert "spec.checkpoints.volume.size cannot shrink" in refusal


@pytest.mark.parametrize("quantity", ["64Gi", 8, "1e3", "1E", "1E+2", "5.", ".5", "+1Gi", "007", "5n"])
def test_a_quantity_is_whatever_kubernetes_calls_one(api: Api, quantity: str | int) -> None:
    resources = {"limits": {"cpu": quantity}, "requests": {"cpu": quantity}}
    spec = {"workers": {"sharedMemory": quantity, "resources": resources}}
    spec |= {"checkpoints": {"volume": {"size": quantity}}}
    assert api.apply(merge_patch(BASE, {"spec": spec}), "--dry-run=server", "--validate=strict") is None
