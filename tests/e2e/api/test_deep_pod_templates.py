"""A pod template that is nested without end, on a real API server, which takes it: only its owner is stopped.

The API server's own reader takes 10,000 levels; what it notes about managers of fields is nested a little
deeper than the fields, so we stay below that.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster import Cluster
from rrm_test_cluster.rig.operator_process import CRD, OperatorProcess

pytestmark = pytest.mark.api
ROOT = Path(__file__).parents[3]
NAMESPACE = "deep-templates"
PATH = f"/apis/training.rrm.dev/v1alpha1/namespaces/{NAMESPACE}/rewardmodeltrainings"
LEVELS = (300, 1_100, 9_900)


@dataclass(frozen=True)
class Scene:
    """An operator, and the trainings of several people."""

    cluster: Cluster
    operator: OperatorProcess

    def create(self, name: str, template: str = "{}") -> None:
        """Create a training as text: Python's own writer could not write some of them, nor could kubectl."""
        manifest = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8"))
        manifest["metadata"] = {"name": name, "namespace": NAMESPACE}
        manifest["spec"]["workers"]["podTemplate"] = "TEMPLATE"
        text = json.dumps(manifest).replace('"TEMPLATE"', template)
        self.cluster.kubectl("create", "--raw", PATH, "-f", "-", stdin=text)

    def said(self, name: str, path: str) -> str:
        where = ("--namespace", NAMESPACE, "-o", f"jsonpath={{.status.{path}}}")
        return self.cluster.kubectl("get", "rmt", name, *where)

    def suspend(self, name: str, suspend: bool) -> None:
        patch = json.dumps({"spec": {"suspend": suspend}})
        self.cluster.kubectl("patch", "rmt", name, "--namespace", NAMESPACE, "--type=merge", "--patch", patch)

    def until(self, what: str, holds: Callable[[], Any], *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                log = "\n".join(self.operator.log.read_text().splitlines()[-25:])
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{log}")
            time.sleep(0.2)

    def refuses(self, levels: int) -> None:
        name = f"deep-{levels}"
        self.until(f"{name} refused", lambda: self.said(name, "stage") == "Stalled")
        message = self.said(name, 'conditions[?(@.type=="Stalled")].message')
        assert "spec.workers.podTemplate: nested more than 64 levels deep" in message

    def serves(self, name: str) -> None:
        """Wait until what a person says of a training is answered, twice."""
        self.suspend(name, True)
        self.until("suspended", lambda: self.said(name, "stage") == "Suspended")
        self.suspend(name, False)
        self.until("resumed", lambda: self.said(name, "stage") == "Preparing")


@pytest.fixture
def scene(api_cluster: Cluster, tmp_path: Path) -> Iterator[Scene]:
    api_cluster.client.install_crds(CRD)
    api_cluster.install_kuberay_crds()
    api_cluster.create_namespace(NAMESPACE)
    settings = {"watched_namespaces": json.dumps([NAMESPACE]), "relist_seconds": "5"}
    operator = OperatorProcess(api_cluster, tmp_path, f"{NAMESPACE}-operator", settings)
    operator.install()
    try:
        yield Scene(api_cluster, operator)
    finally:
        operator.close()
        api_cluster.kubectl("delete", "rmt", "--all", "--namespace", NAMESPACE)
        kinds = "jobs,configmaps,pvc,serviceaccounts,roles,rolebindings,networkpolicies"
        api_cluster.kubectl("delete", kinds, "--all", "--namespace", NAMESPACE, "--wait=false")


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def test_templates_of_any_depth_are_refused_one_by_one_and_all_others_are_served(scene: Scene) -> None:
    scene.operator.start()
    scene.create("plain")
    scene.until("the plain one", lambda: scene.said("plain", "stage") == "Preparing")
    for levels in LEVELS:
        scene.create(f"deep-{levels}", nested(levels))
        scene.refuses(levels)
        scene.serves("plain")
    time.sleep(6)  # Names are listed again, with all that the API server notes about their fields.
    scene.serves("plain")
    assert scene.operator.stop() == 0
    # A new one is told of all of them at once, in a list.
    scene.operator.start()
    scene.serves("plain")
    scene.create("late")
    scene.until("the late one", lambda: scene.said("late", "stage") == "Preparing")
    log = scene.operator.log.read_text()
    assert "Traceback" not in log
    assert "RecursionError" not in log
    assert "watching is started anew" not in log
