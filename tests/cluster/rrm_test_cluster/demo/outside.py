"""Somebody's own cluster as the ground of the demo: it is asked for everything before anything is changed.

Images must be pullable and volumes shareable there; a seed Job fills the claim `demo`, as no folder of this
machine can be mounted.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm_test_cluster.client import Client
from rrm_test_cluster.demo.errors import NotHere
from rrm_test_cluster.demo.ground import Ground
from rrm_test_cluster.demo.install import Images, chart_values, make_namespace
from rrm_test_cluster.demo.machine import make_trainer_environment
from rrm_test_cluster.demo.material import PARTS, ROWS
from rrm_test_cluster.demo.outside_objects import reader_pod, rows_config_map, seed_claim, seed_job
from rrm_test_cluster.demo.places import EXAMPLE, NAMESPACE, TRAINING
from rrm_test_cluster.demo.telling import Teller
from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.tools import Tools, ToolsUnavailable, find_tools

OPERATOR_IMAGE: Final = "RRM_OPERATOR_IMAGE"
TRAINER_IMAGE: Final = "RRM_TRAINER_IMAGE"
STORAGE_CLASS: Final = "RRM_STORAGE_CLASS"
_IS_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class ToolsOnPath(Tools):
    """kubectl and helm as the person has them."""

    folder: Path = Path("/")

    def path(self, name: str) -> Path:
        """Return the program of that name.

        Raises:
            NotHere: It is not on PATH.
        """
        found = shutil.which(name)
        if found is None:
            raise NotHere((f"{name} on PATH (or `make cluster-tools`)",))
        return Path(found)


def outside_ground(kubeconfig: Path, tell: Teller) -> Ground:
    """Check the cluster of a kubeconfig, and furnish it.

    Raises:
        NotHere: Something is missing; every missing thing is named.
    """
    client = Client(_tools(), kubeconfig)
    tell(f"KUBECONFIG is set: using the context {client.kubectl('config', 'current-context').strip()}")
    storage_class = os.environ.get(STORAGE_CLASS) or _default_class(client)
    missing = (*_missing_images(), *_missing_in(client), *_missing_class(storage_class))
    if missing:
        raise NotHere(missing)
    make_trainer_environment(tell)
    images = Images(os.environ[OPERATOR_IMAGE], os.environ[TRAINER_IMAGE])
    with tell.step("namespace, and the claim `demo` filled by a Job (3 min)"):
        _seed(client, images.trainer, storage_class)
    return Ground(
        client=client,
        values=chart_values(images),
        fetch_volume=lambda folder: _fetch(client, images.trainer, folder),
        storage_class=storage_class,
    )


def _tools() -> Tools:
    try:
        return find_tools()
    except ToolsUnavailable:
        return ToolsOnPath()


def _missing_images() -> tuple[str, ...]:
    wanted = {
        OPERATOR_IMAGE: "the operator's image (Dockerfile) in a registry that the cluster pulls from",
        TRAINER_IMAGE: "the trainer's image (trainer_image/Dockerfile, PROFILE=cpu), likewise",
    }
    return tuple(
        f"{name}=repository:tag, {what}" for name, what in wanted.items() if not os.environ.get(name)
    )


def _missing_in(client: Client) -> tuple[str, ...]:
    kinds = client.kubectl("api-resources", "--api-group", "ray.io", "--output", "name")
    return (
        () if "rayclusters.ray.io" in kinds else ("KubeRay 1.6 or newer in that cluster (kind RayCluster)",)
    )


def _missing_class(storage_class: str) -> tuple[str, ...]:
    if storage_class:
        return ()
    return (
        f"{STORAGE_CLASS}=name, a StorageClass that makes ReadWriteMany volumes; the cluster has no default",
    )


def _default_class(client: Client) -> str:
    classes = client.list("storageclass")
    default = (
        found["metadata"]["name"]
        for found in classes
        if found["metadata"].get("annotations", {}).get(_IS_DEFAULT) == "true"
    )
    return next(default, "")


def _seed(client: Client, image: str, storage_class: str) -> None:
    make_namespace(client, NAMESPACE)
    rows = {part: (ROWS / part).read_text() for part in PARTS} | {"training.yaml": EXAMPLE.read_text()}
    where = ("--namespace", NAMESPACE)
    client.kubectl("delete", "job", "seed", *where, "--ignore-not-found", "--wait")
    client.apply(rows_config_map(rows), seed_claim(storage_class), seed_job(image))
    try:
        client.kubectl("wait", "--for=condition=Complete", "job/seed", *where, "--timeout=900s", seconds=930)
    except CommandFailed as failed:
        pods = client.kubectl("get", "pods", *where, "-o", "wide")
        events = client.kubectl("get", "events", *where, "--sort-by=.lastTimestamp")
        raise NotHere(
            (f"a filled claim: the Job `seed` did not complete\n{pods}\n{events[-3000:]}",)
        ) from failed


def _fetch(client: Client, image: str, folder: Path) -> None:
    where = ("--namespace", NAMESPACE)
    pod = reader_pod(image, f"{TRAINING}-checkpoints")
    client.kubectl("apply", *where, "-f", "-", stdin=json.dumps(pod))
    client.kubectl("wait", "--for=condition=Ready", "pod/reader", *where, "--timeout=300s")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    client.kubectl("cp", *where, f"reader:/mnt/rrm/{TRAINING}", str(folder / TRAINING), seconds=900)
    client.kubectl("delete", "pod", "reader", *where, "--wait=false")
