"""The chart as the real Helm renders it."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.tools import KUBERNETES, find_tools

CHART = Path(__file__).parents[2] / "charts" / "rrm-operator"


Manifest = dict[str, Any]


@cache
def helm_binary() -> Path:
    try:
        return find_tools().path("helm")
    except ClusterError as error:
        pytest.skip(str(error))


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(helm_binary()), *arguments], capture_output=True, text=True, check=False)


def render(*sets: str, chart: Path = CHART) -> list[Manifest]:
    flags = [word for value in sets for word in ("--set", value)]
    where = ("--namespace", "system", "--kube-version", KUBERNETES)
    done = helm("template", "rrm", str(chart), *where, *flags)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def only(documents: list[Manifest], kind: str) -> Manifest:
    (found,) = (document for document in documents if document["kind"] == kind)
    return found


def named(documents: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = (it for it in documents if it["kind"] == kind and it["metadata"]["name"] == name)
    return found
