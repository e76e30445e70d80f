"""What is dropped of lists changes no fact, whatever an object holds."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_api import group
from rrm_operator.facts import Kind, Manifest
from rrm_operator.facts_from import child_fact
from rrm_operator.slimming import slim_list

from .simulation.garbage import Garbage

GOLDEN = Path(__file__).parents[2] / "golden" / "plan" / "full.yaml"
PLANNED: list[Manifest] = [
    it for it in yaml.safe_load_all(GOLDEN.read_text()) if it.get("kind") not in (None, Kind.SECRET)
]
ENDED = {"name": "main", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
SIDECAR = {"name": "sidecar", "state": {"terminated": {"exitCode": 0}}}


def pod_of(job: Manifest) -> Manifest:
    template = copy.deepcopy(job["spec"]["template"])
    owner = {"kind": Kind.JOB, "name": job["metadata"]["name"], "uid": "u", "controller": True}
    metadata = {**template["metadata"], "name": "pod", "namespace": "demo", "ownerReferences": [owner]}
    main = {**ENDED, "name": template["spec"]["containers"][0]["name"]}
    status = {"phase": "Failed", "containerStatuses": [SIDECAR, main]}
    return {"kind": Kind.POD, "metadata": metadata, "spec": template["spec"], "status": status}


OBJECTS = [*PLANNED, *(pod_of(it) for it in PLANNED if it["kind"] == Kind.JOB)]


def slimmed(manifest: Manifest) -> Manifest:
    answer = slim_list({"kind": f"{manifest['kind']}List", "items": [copy.deepcopy(manifest)]})
    (found,) = answer["items"]
    return dict(found)


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda it: str(it["kind"]))
def test_the_fact_of_an_object_is_the_same(manifest: Manifest) -> None:
    kind, listed = Kind(manifest["kind"]), copy.deepcopy(manifest)
    listed["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]
    assert child_fact(kind, slimmed(listed)) == child_fact(kind, manifest)


@pytest.mark.parametrize("seed", range(50))
def test_the_fact_of_a_ray_cluster_of_another_kuberay_is_the_same(seed: int) -> None:
    made = next(it for it in PLANNED if it["kind"] == Kind.RAY_CLUSTER)
    odd = {**made, "spec": Garbage(seed).spoil(made["spec"], times=4)}
    assert child_fact(Kind.RAY_CLUSTER, slimmed(odd)) == child_fact(Kind.RAY_CLUSTER, odd)


@pytest.mark.parametrize("large", [Kind.POD, Kind.RAY_CLUSTER, Kind.JOB])
def test_little_is_left_of_what_has_a_template(large: Kind) -> None:
    manifest = next(it for it in OBJECTS if it["kind"] == large)
    assert len(json.dumps(slimmed(manifest)["spec"])) < 60


def test_a_training_is_kept_whole() -> None:
    training = {"kind": group.KIND, "metadata": {"name": "judge"}, "spec": {"model": {"name": "x"}}}
    assert slimmed(training) == training


@pytest.mark.parametrize("odd", [None, [], "upstream error", {"items": None}, {"items": [None, {}]}])
def test_what_is_no_list_is_left_as_it_is(odd: Any) -> None:
    assert slim_list(copy.deepcopy(odd)) == odd
