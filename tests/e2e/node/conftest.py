"""One real node for all tests of this folder: the operator from its image, and the demo's training running.

The demo's training starts first and takes eight minutes; what needs no Ray is tested meanwhile.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment
from rrm_test_cluster import Cluster
from rrm_test_cluster.demo.ground import Ground, furnish, furnish_namespace
from rrm_test_cluster.demo.install import install_operator
from rrm_test_cluster.demo.material import fill_claim
from rrm_test_cluster.demo.pictures import build_cpu_trainer
from rrm_test_cluster.demo.places import EXAMPLE, NAMESPACE, TRAINING, Places
from rrm_test_cluster.demo.show import Wanted, apply_example
from rrm_test_cluster.demo.telling import Teller
from rrm_test_cluster.demo.watch import RESOURCE, Eye, Glimpse
from rrm_test_cluster.rehearsal import rehearsal_plugins

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Trainings:
    """The trainings of one namespace."""

    cluster: Cluster
    namespace: str

    def apply(self, name: str, change: Callable[[Manifest], None] = lambda spec: None) -> None:
        """Apply the demo's example under another name, with its spec changed."""
        manifest = yaml.safe_load(EXAMPLE.read_text())
        manifest["metadata"]["name"] = name
        change(manifest["spec"])
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def kubectl(self, *arguments: str, stdin: str = "", seconds: float = 300) -> str:
        # First, as what follows "--" of an exec is the pod's.
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, stdin=stdin, seconds=seconds)

    def get(self, name: str) -> Manifest:
        return self.cluster.client.get(RESOURCE, name, namespace=self.namespace)

    def status(self, name: str) -> Manifest:
        found: Manifest = self.get(name).get("status", {})
        return found

    def condition(self, name: str, kind: str) -> Manifest:
        conditions = {it["type"]: it for it in self.status(name).get("conditions", [])}
        found: Manifest = conditions.get(kind, {})
        return found

    def names(self, kind: str, selector: str = "") -> list[str]:
        items = self.cluster.client.list(kind, namespace=self.namespace, selector=selector)
        return sorted(item["metadata"]["name"] for item in items)

    def volume(self, name: str) -> Path:
        return self.cluster.claim_folder(self.namespace, f"{name}-checkpoints")

    def until(self, name: str, is_enough: Callable[[Glimpse], bool], *, seconds: float) -> Manifest:
        return Eye(self.cluster.client, self.namespace, name).wait(
            is_enough, show=lambda seen: None, seconds=seconds
        )

    def wait_for(self, what: str, holds: Callable[[], Any], *, seconds: float) -> Any:
        """Wait until something holds, looking twice a second, and return it."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > end:
                everything = self.kubectl("get", f"{RESOURCE},pods,jobs,rayclusters", "-o", "wide")
                statuses = self.kubectl("get", RESOURCE, "-o", "jsonpath={.items[*].status}")
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{everything}\n{statuses}")
            time.sleep(0.5)
        return found


@pytest.fixture(scope="session")
def claim() -> Path:
    """Return the folder with rows and tiny model, which `rrm run` reads too."""
    try:
        find_environment("cpu")
    except TrainerEnvironmentError as missing:
        pytest.skip(str(missing))
    return fill_claim(Places().claim, Teller())


@pytest.fixture(scope="session")
def ground(node_cluster: Cluster, claim: Path) -> Ground:
    """Return the cluster with the operator installed by helm from its image."""
    made = furnish(node_cluster, claim, Teller())
    install_operator(made.client, made.values)
    return made


@pytest.fixture(scope="session")
def whole_image(ground: Ground, node_cluster: Cluster) -> Iterator["Future[str]"]:
    """Begin to build the trainer's image whole and to import it; what comes of it is its tag."""

    def build() -> str:
        built = build_cpu_trainer(Teller())
        node_cluster.import_image(built.archive)
        return built.tag

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(build)


@pytest.fixture(scope="session")
def demo(ground: Ground, node_cluster: Cluster, whole_image: "Future[str]") -> Trainings:
    """Apply the demo's training, and return its namespace; the image is built while it trains."""
    apply_example(ground, Wanted())
    trainings = Trainings(node_cluster, NAMESPACE)
    assert trainings.names(RESOURCE) == [TRAINING]
    return trainings


@pytest.fixture(scope="session")
def make_namespace(
    ground: Ground, node_cluster: Cluster, claim: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Callable[[Path], None]], Trainings]:
    """Return a maker of namespaces whose claim `demo` is a copy that the caller may spoil."""

    def make(name: str, spoil: Callable[[Path], None] = lambda folder: None) -> Trainings:
        folder = tmp_path_factory.mktemp(name) / "demo"
        shutil.copytree(claim, folder)
        spoil(folder)
        # Pods run as user 1000, and pytest's folders are closed to all but their owner.
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        furnish_namespace(node_cluster, name, folder)
        return Trainings(node_cluster, name)

    return make


@pytest.fixture(scope="session")
def rehearsals(make_namespace: Any) -> Trainings:
    """A namespace with the child that rehearses."""
    made: Trainings = make_namespace("rehearsals")
    made.kubectl("apply", "-f", "-", stdin=json.dumps(rehearsal_plugins()))
    return made
