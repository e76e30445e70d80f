"""What people edit by hand in the objects of a training that trains is put right, on a real API server.

Its defaults and validation, and who owns a field, are what no fake can say: all that is planned must come
back as it was planned, or the operator would write again and again.
"""

import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster import Cluster
from rrm_test_cluster.rig.operator_process import CRD, OperatorProcess
from rrm_test_cluster.rig.ray_stand_in import ray_stand_in
from rrm_test_cluster.rig.trainer_stand_in import TrainerStandIn

pytestmark = pytest.mark.api
ROOT = Path(__file__).parents[3]
JUDGE = "helpful-judge"
QUIET_SECONDS = 12
"""Longer than the wait before an object is written a second time."""
WRITES = {"create", "update", "patch", "delete"}
STRANGER = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
EDITS: dict[str, tuple[str, Any]] = {
    "networkpolicy": (f"{JUDGE}-network", {"spec": {"ingress": [{}]}}),
    "role": (f"{JUDGE}-trainer", {"rules": [ALL]}),
    "rolebinding": (f"{JUDGE}-trainer", {"subjects": [STRANGER]}),
    "serviceaccount": (f"{JUDGE}-trainer", {"automountServiceAccountToken": True}),
    "poddisruptionbudget": (f"{JUDGE}-ray", {"spec": {"minAvailable": 0}}),
}
"""By kind: the object, and what somebody makes of it."""
HEAD_IS_READY = {
    "type": "HeadPodReady",
    "status": "True",
    "reason": "HeadPodRunningAndReady",
    "message": "",
    "lastTransitionTime": "2026-03-01T10:00:00Z",
}


@dataclass(frozen=True)
class Life:
    """A training that trains, as far as the API server can tell."""

    cluster: Cluster
    operator: OperatorProcess
    judge: TrainerStandIn

    @property
    def namespace(self) -> str:
        return self.judge.namespace

    def all(self, kind: str) -> Any:
        return self.cluster.client.list(kind, namespace=self.namespace)

    def get(self, kind: str, name: str) -> Any:
        return self.cluster.client.get(kind, name, namespace=self.namespace)

    def said(self, kind: str) -> Any:
        """Return what an object says, without what the API server writes about it."""
        found = self.get(kind, EDITS[kind][0])
        return {field: it for field, it in found.items() if field not in ("metadata", "status")}

    def edit(self, kind: str, patch: Any) -> None:
        """Edit as `kubectl edit` does: all that is not named stays, our annotations too."""
        where = ("--namespace", self.namespace, "--type=merge", "--patch", json.dumps(patch))
        self.cluster.kubectl("patch", kind, EDITS[kind][0], *where)

    def writes(self) -> list[tuple[str, str, str]]:
        """Return all that the operator has written but events."""
        asked = (it for it in self.operator.asked() if it.verb in WRITES and it.resource != "events")
        return [(it.verb, it.resource, it.name) for it in asked]

    def stays_quiet(self) -> None:
        """Nothing is written while nobody does anything, once the last event has been answered."""
        time.sleep(3)
        before = len(self.writes())
        time.sleep(QUIET_SECONDS)
        assert self.writes()[before:] == []

    def until(self, what: str, holds: Callable[[], Any], *, seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > deadline:
                log = "\n".join(self.operator.log.read_text().splitlines()[-25:])
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{log}")
            time.sleep(0.2)
        return found

    def stage(self, stage: str) -> None:
        self.until(stage, lambda: self.get("rmt", JUDGE).get("status", {}).get("stage") == stage)


@pytest.fixture
def life(api_cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Life]:
    """One in a namespace of its own. KubeRay does not run: the test says that the RayCluster is whole."""
    api_cluster.client.install_crds(CRD)
    api_cluster.install_kuberay_crds()
    namespace = f"edited-{zlib.crc32(request.node.nodeid.encode()):08x}"
    api_cluster.create_namespace(namespace)
    with ray_stand_in() as ray:
        settings = {
            "ray_url": ray.url,
            "ray_poll_seconds": "1",
            "relist_seconds": "3600",
            "watched_namespaces": json.dumps([namespace]),
        }
        operator = OperatorProcess(api_cluster, tmp_path, f"{namespace}-operator", settings)
        operator.install()
        try:
            operator.start()
            lived = Life(api_cluster, operator, TrainerStandIn(api_cluster, namespace, JUDGE))
            to_training(lived)
            yield lived
        finally:
            operator.close()
            for it in (namespace, operator.namespace):
                api_cluster.kubectl("delete", "namespace", it, "--wait=false")


def to_training(life: Life) -> None:
    manifest = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
    manifest["metadata"]["namespace"] = life.namespace
    life.cluster.apply(manifest)
    life.judge.prepared()
    (made,) = life.until("the RayCluster", lambda: life.all("raycluster"))
    whole = {
        "conditions": [HEAD_IS_READY],
        "head": {"serviceName": "head-svc", "podIP": "10.0.0.7"},
        "readyWorkerReplicas": manifest["spec"]["workers"]["nodes"],
    }
    name = made["metadata"]["name"]
    life.cluster.client.patch_status("raycluster", name, {"status": whole}, namespace=life.namespace)
    life.stage("Starting")
    life.judge.progress(1, step=3)
    life.stage("Training")
    life.until("the budget", lambda: life.all("poddisruptionbudget"))


def test_what_is_edited_by_hand_is_put_right_by_one_write_and_what_is_added_beside_it_stays(
    life: Life,
) -> None:
    before = len(life.writes())
    life.edit("serviceaccount", {"imagePullSecrets": [{"name": "registry"}]})
    life.edit("networkpolicy", {"spec": {"egress": [{}]}})
    life.stays_quiet()
    assert life.writes()[before:] == [], "what others add is theirs"
    planned = {kind: life.said(kind) for kind in EDITS}
    assert planned["serviceaccount"]["imagePullSecrets"] == [{"name": "registry"}]
    assert planned["networkpolicy"]["spec"]["egress"] == [{}]

    for kind, (_, patch) in EDITS.items():
        life.edit(kind, patch)
    for kind in EDITS:
        life.until(f"the {kind} put right", lambda kind=kind: life.said(kind) == planned[kind], seconds=30)
    life.stays_quiet()
    written = life.writes()[before:]
    assert sorted(name for _, _, name in written) == sorted(name for name, _ in EDITS.values())
    assert {verb for verb, _, _ in written} == {"patch"}
    assert life.get("rmt", JUDGE)["status"]["stage"] == "Training"


def test_what_another_manager_has_taken_over_is_taken_back_and_again_after_a_wait(life: Life) -> None:
    # What was written a moment ago would wait.
    life.stays_quiet()
    planned, name = life.said("role"), EDITS["role"][0]
    metadata = {"name": name, "namespace": life.namespace}
    for waits in (False, True):
        before, began = len(life.writes()), time.monotonic()
        # By server-side apply: the field is then owned by somebody else, and ours conflicts with it.
        life.cluster.apply({**planned, "metadata": metadata, "rules": [ALL]})
        life.until("it taken back", lambda: life.said("role") == planned, seconds=30)
        assert (time.monotonic() - began > 5) is waits
        assert [it for _, _, it in life.writes()[before:]] == [name]

    # The API server refuses a budget that has both numbers.
    budget = life.said("poddisruptionbudget")
    life.edit("poddisruptionbudget", {"spec": {"minAvailable": None, "maxUnavailable": 1}})
    life.until("it put right", lambda: life.said("poddisruptionbudget") == budget, seconds=30)
    life.stays_quiet()
