"""The CPU plug-in inside the real packages: each shim answers the upstream behaviour that it names."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rrm.train.environment import CPU

pytestmark = pytest.mark.verl
PROBE = Path(__file__).parent / "probe_cpu_plugin.py"


def probe(python: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return subprocess.run([str(python), str(PROBE), port], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def facts(trainer_python: Path, trainer_environment: dict[str, str]) -> dict[str, Any]:
    done = probe(trainer_python, trainer_environment | CPU)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.rpartition("FACTS ")[2])
    return found


def test_verl_finds_the_platform(facts: dict[str, Any]) -> None:
    assert (facts["platform"], facts["device"], facts["resource"]) == ("CpuPlatform", "cpu", "GPU")
    assert facts["ipc"] is False
    assert facts["memory"] is True


def test_the_cpu_wheel_passes_for_vllm(facts: dict[str, Any]) -> None:
    assert facts["vllm"] == "0.32.0+cpu"


def test_the_plugin_does_not_import_vllm_in_every_process(facts: dict[str, Any]) -> None:
    assert facts["vllm_was_imported"] is False


def test_a_backend_that_is_named_twice_works(facts: dict[str, Any]) -> None:
    assert facts["reduced"] == [1.0, 1.0]


def test_memory_is_never_pinned(facts: dict[str, Any]) -> None:
    assert facts["pinned"] is False


def test_linear_layers_keep_their_weights(facts: dict[str, Any]) -> None:
    assert facts["keeps_weight"] is True
    assert facts["is_plain_linear"] is True


def test_without_the_platform_variable_nothing_is_changed(
    trainer_python: Path, trainer_environment: dict[str, str]
) -> None:
    variables = {"VERL_USE_EXTERNAL_MODULES": CPU["VERL_USE_EXTERNAL_MODULES"]}
    code = (
        "import importlib.metadata as m, os; before = m.version\n"
        "import rrm.train.cpu, sys\n"
        "assert m.version is before and 'torch' not in sys.modules"
    )
    environment = {k: v for k, v in trainer_environment.items() if k != "VERL_PLATFORM"} | variables
    done = subprocess.run([str(trainer_python), "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
