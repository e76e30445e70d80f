"""What a training stands on, wherever the cluster comes from; `furnish` makes it in the embedded one."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rrm.trainer_env.locate import find_environment
from rrm_test_cluster.client import Client, Manifest
from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.demo.install import (
    Images,
    chart_values,
    environment_template,
    make_namespace,
)
from rrm_test_cluster.demo.pictures import build_operator, build_thin_trainer
from rrm_test_cluster.demo.places import CLAIM, ENVIRONMENT_CLAIM, NAMESPACE, TRAINING


@dataclass(frozen=True)
class Ground:
    """A cluster with everything but the operator.

    Attributes:
        client: kubectl and helm for it.
        values: The chart's values that fit it.
        fetch_volume: Copies the volume of the demo's training to a folder here.
        storage_class: StorageClass of the training's volume; None = the cluster's default.
    """

    client: Client
    values: Manifest
    fetch_volume: Callable[[Path], None]
    storage_class: str | None = None


def furnish(cluster: Cluster, claim: Path, say: Callable[[str], None]) -> Ground:
    """Import the images into an embedded cluster, and make namespace and claims for trainings.

    Args:
        cluster: One with a real node.
        claim: Folder that the claim `demo` shows.
        say: Told about image builds.
    """
    operator, trainer = build_operator(say), build_thin_trainer(say)
    for built in (operator, trainer):
        cluster.import_image(built.archive)
    furnish_namespace(cluster, NAMESPACE, claim)
    images = Images(operator.tag, trainer.tag, pull_policy="Never")
    return Ground(
        client=cluster.client,
        values=chart_values(images, environment_template()),
        fetch_volume=lambda folder: copy_volume(cluster, NAMESPACE, TRAINING, folder),
    )


def furnish_namespace(cluster: Cluster, namespace: str, claim: Path) -> None:
    """Make a "restricted" namespace with the claims of rows and of the trainer's environment."""
    make_namespace(cluster.client, namespace)
    cluster.host_folder_claim(namespace, CLAIM, claim)
    cluster.host_folder_claim(namespace, ENVIRONMENT_CLAIM, find_environment("cpu").root)


def copy_volume(cluster: Cluster, namespace: str, training: str, folder: Path) -> None:
    """Copy what a training left on its volume, as the volume goes with the cluster."""
    source = cluster.claim_folder(namespace, f"{training}-checkpoints")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
