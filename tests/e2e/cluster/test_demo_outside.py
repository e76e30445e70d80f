"""`make demo` with `KUBECONFIG` set: somebody's own cluster is asked for everything before it is changed."""

import os
import subprocess
import sys

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.demo.outside import OPERATOR_IMAGE, STORAGE_CLASS, TRAINER_IMAGE
from rrm_test_cluster.demo.places import CHECKOUT, NAMESPACE

pytestmark = pytest.mark.api
MISSING = 3


def test_a_cluster_that_lacks_something_is_left_alone_and_every_missing_thing_is_named(
    api_cluster: Cluster,
) -> None:
    chosen = (OPERATOR_IMAGE, TRAINER_IMAGE, STORAGE_CLASS)
    environment = {key: value for key, value in os.environ.items() if key not in chosen}

    done = subprocess.run(
        [sys.executable, "-m", "rrm_test_cluster.demo", "run"],
        env={**environment, "KUBECONFIG": str(api_cluster.kubeconfig)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == MISSING, done.stdout + done.stderr
    assert "using the context" in done.stdout
    for name in chosen:
        assert name in done.stderr
    namespaces = api_cluster.client.list("namespace")
    assert NAMESPACE not in [it["metadata"]["name"] for it in namespaces]
