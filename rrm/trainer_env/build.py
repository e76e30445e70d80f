"""Make the trainer's environment: install, stand in for NVIDIA (CPU profile), compile, try, mark as whole."""

import fcntl
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import (
    Environment,
    count_distributions,
    is_whole,
    needs_stand_ins,
    profile_folder,
)
from rrm.trainer_env.stand_ins import write_stand_ins

log = logging.getLogger("rrm.trainer_env")

PYTHON: Final = "/usr/bin/python3.11"
"""The same path on the host that builds and in the image that runs: an environment only links to it."""
_TRY: Final = "import ray, tensordict, torch, transformers; torch.ones(2, 2) @ torch.ones(2, 2)"
_WITHOUT_VLLM: Final = ("cpu-verl04",)
"""vLLM of the age of verl 0.4.0 has no CPU build: its answers come from transformers there."""


def build_environment(environment: Environment, profile: str) -> Environment:
    """Make the environment unless it is whole; safe against a second builder and against interruption.

    Raises:
        TrainerEnvironmentError: a tool is missing, or a step failed; says which.
    """
    environment.root.parent.mkdir(parents=True, exist_ok=True)
    with _locked(environment.root.parent / f".{environment.key}.lock"):
        if is_whole(environment):
            log.info("environment is whole: %s", environment.root)
            return environment
        partial = Environment(environment.root.with_name(f"{environment.key}.partial"), environment.key)
        for leftover in (partial.root, environment.root):
            shutil.rmtree(leftover, ignore_errors=True)
        _fill(partial, profile)
        partial.root.rename(environment.root)
    return environment


def _fill(environment: Environment, profile: str) -> None:
    uv = _uv()
    python = str(environment.python)
    pins = str(profile_folder(profile) / "requirements.txt")
    _step("virtual environment", [uv, "venv", "-q", "--relocatable", "-p", PYTHON, str(environment.root)])
    _step(
        "packages (about 2 GB the first time)", [uv, "pip", "install", "-p", python, "--no-deps", "-r", pins]
    )
    if needs_stand_ins(profile):
        written = write_stand_ins(environment.site_packages)
        log.info("stand-ins for %d NVIDIA libraries", len(written))
    # Unchecked hashes: the environment may be mounted read-only elsewhere with other file times.
    compile_all = [python, "-m", "compileall", "-qq", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    _step("byte-compiling", [*compile_all, str(environment.site_packages)], check=False)
    attempt = _TRY if profile in _WITHOUT_VLLM else f"{_TRY}; import vllm"
    _step("import torch, vllm, ray", [python, "-c", attempt], env={"VLLM_LOGGING_LEVEL": "ERROR"})
    marker = {"key": environment.key, "distributions": count_distributions(environment)}
    environment.marker.write_text(json.dumps(marker))


def _step(what: str, command: list[str], *, env: dict[str, str] | None = None, check: bool = True) -> None:
    log.info("%s ...", what)
    start = time.monotonic()
    code = subprocess.run(command, env=os.environ | (env or {})).returncode
    if code and check:
        raise TrainerEnvironmentError(f"{what} failed with exit code {code}: {' '.join(command)}")
    log.info("%s: %.0f s", what, time.monotonic() - start)


def _uv() -> str:
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise TrainerEnvironmentError(
            "uv is neither on PATH nor named by the variable UV: install it (pip install uv)"
        )
    if not Path(PYTHON).exists():
        raise TrainerEnvironmentError(
            f"{PYTHON} is missing: install python3.11 (Debian 12: apt-get install python3.11)"
        )
    return uv


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
