"""The images as their Dockerfiles build them: size, user, what is in them and what is not."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import PurePosixPath
from typing import Any

import pytest

from rrm_test_cluster.demo.ground import Ground
from rrm_test_cluster.demo.pictures import Built, build_operator, build_thin_trainer
from rrm_test_cluster.demo.places import OPERATOR_NAMESPACE, RELEASE
from rrm_test_cluster.demo.telling import Teller
from rrm_test_cluster.node_deps import missing_for_node

pytestmark = pytest.mark.node

MEGABYTE = 1_000_000
READS_A_LIST = """
import time
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

before = resident()
rows = [{"name": f"judge-{number}", "rest": [str(number)] * 9 + [{"a": number}]} for number in range(100_000)]
kept = [row["name"] for row in rows[::100]]
took = resident() - before
del rows
until = time.monotonic() + 20
while resident() - before > took / 4 and time.monotonic() < until:
    time.sleep(0.1)
print("libjemalloc" in Path("/proc/self/maps").read_text(), took, resident() - before)
"""


class Archive:
    """A docker-archive: its configuration, and the paths and sizes in its layers."""

    def __init__(self, built: Built) -> None:
        with tarfile.open(built.archive) as archive:

            def read(name: str) -> Any:
                member = archive.extractfile(name)
                assert member is not None
                return json.load(member)

            (manifest,) = read("manifest.json")
            self.config = read(manifest["Config"])["config"]
            self.files: dict[str, int] = {}
            for layer in manifest["Layers"]:
                content = archive.extractfile(layer)
                with tarfile.open(fileobj=content) as files:
                    self.files |= {f"/{it.name.lstrip('./')}": it.size for it in files if it.isfile()}

    def packages(self) -> set[str]:
        return {
            PurePosixPath(path).parent.name for path in self.files if path.endswith(".dist-info/METADATA")
        }


@pytest.fixture(scope="module", autouse=True)
def _can_build() -> None:
    if missing := missing_for_node():
        pytest.skip(f"images are built with buildah as root; missing: {'; '.join(missing)}")


@pytest.fixture(scope="module")
def operator() -> Archive:
    return Archive(build_operator(Teller()))


@pytest.fixture(scope="module")
def thin() -> Archive:
    return Archive(build_thin_trainer(Teller()))


def test_the_operator_image_stays_below_250_mb() -> None:
    size = build_operator(Teller()).archive.stat().st_size
    print(f"operator image: {size / MEGABYTE:.0f} MB")
    assert size <= 250 * MEGABYTE


def test_the_operator_image_has_the_operator_and_no_trainer_and_no_tools(operator: Archive) -> None:
    names = {package.split("-")[0].lower() for package in operator.packages()}
    assert {"rrm_operator", "rrm_api", "kopf", "kubernetes"} <= names
    assert not names & {"torch", "verl", "vllm", "ray", "transformers", "uv", "rrm_trainer", "pytest"}
    assert not [path for path in operator.files if path.rpartition("/")[2] in ("uv", "pip", "gcc")]


def test_memory_is_given_back_although_a_part_of_what_was_read_is_kept(operator: Archive) -> None:
    """With the image's allocator, which this machine has as well."""
    words = dict(it.split("=", 1) for it in operator.config["Env"])
    its_own = {name: words[name] for name in ("PYTHONMALLOC", "LD_PRELOAD", "MALLOC_CONF")}
    answer = subprocess.run(
        [sys.executable, "-c", READS_A_LIST], env=os.environ | its_own, capture_output=True, check=True
    )
    is_loaded, took, kept = answer.stdout.split()
    assert is_loaded == b"True", answer.stderr
    assert int(kept) < int(took) / 4


def test_the_operator_runs_with_the_allocator_of_its_image(ground: Ground) -> None:
    where = ("--namespace", OPERATOR_NAMESPACE, f"deployment/{RELEASE}")
    assert "libjemalloc" in ground.client.kubectl("exec", *where, "--", "cat", "/proc/1/maps")


@pytest.mark.parametrize("which", ["operator", "thin"])
def test_images_run_as_a_numeric_user_and_start_python_directly(
    which: str, request: pytest.FixtureRequest
) -> None:
    config = request.getfixturevalue(which).config
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"][0].rpartition("/")[2] == "python"


@pytest.mark.parametrize("which", ["operator", "thin"])
def test_nothing_of_this_machine_is_in_a_layer(which: str, request: pytest.FixtureRequest) -> None:
    """Files that were mounted for the build leave at most an empty place to mount on."""
    files = request.getfixturevalue(which).files
    of_this_machine = ("/etc/pip.conf", "/etc/uv/uv.toml", "/etc/hostname", "/etc/resolv.conf")
    assert {path: files[path] for path in of_this_machine if files.get(path)} == {}
    caches = ("/root/.cache/", "/var/cache/apt/", "/var/lib/apt/lists/")
    assert not [path for path in files if path.startswith(caches)]


def test_the_thin_trainer_holds_our_packages_alone(thin: Archive) -> None:
    names = {package.split("-")[0].lower() for package in thin.packages()}
    assert {"rrm_trainer", "rrm_api"} <= names
    assert not names & {"torch", "verl", "rrm_operator", "rrm_test_cluster"}
