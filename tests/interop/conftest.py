"""RM-Gallery and OpenJudge themselves, in an environment of their own, made once, kept in the user's cache.

Needs uv (`UV`, or .rrm/uv from `make setup`), Python 3.11, gcc and readelf. The first time it fetches some
2 GB. Each test starts a small script there, which reads one JSON document and writes another; our own code is
on its path, so that both sides can be asked about the same row.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import cache_root, find_environment
from rrm.trainer_env.stand_ins import write_stand_ins

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROWS = ROOT / "tests/data/helpsteer2/train.jsonl"
PINS = (HERE / "requirements.txt", HERE / "upstream.txt")
BESIDE = HERE / "beside.txt"
MARKER = "whole.json"
PYTHON = "/usr/bin/python3.11"


@dataclass(frozen=True)
class Upstream:
    """The environment, and how to run something in it."""

    python: Path
    scratch: Path
    beside: tuple[Path, ...] = ()

    def run(self, script: str, /, **question: Any) -> Any:
        """Return what a script of `scripts/` answers."""
        number = len(list(self.scratch.iterdir()))
        asked, answered = self.scratch / f"{number}-asked.json", self.scratch / f"{number}-answered.json"
        asked.write_text(json.dumps(question))
        places = [ROOT, ROOT / "crds", HERE / "user_plugins", *self.beside]
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, places)),
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(self.scratch.parent / "hf-home"),
            "TOKENIZERS_PARALLELISM": "false",
        }
        done = subprocess.run(
            [str(self.python), str(HERE / "scripts" / f"{script}.py"), str(asked), str(answered)],
            cwd=self.scratch,
            env=variables,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
        return json.loads(answered.read_text())


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    """RM-Gallery 0.1.7 and OpenJudge 0.2.4 with verl 0.4.0."""
    scratch = tmp_path_factory.mktemp("interop") / "questions"
    scratch.mkdir()
    return Upstream(environment() / "bin" / "python", scratch)


@pytest.fixture(scope="session")
def upstream_on_new_verl(upstream: Upstream) -> Upstream:
    """RM-Gallery 0.1.7 beside the trainer's own environment: verl 0.9.1, transformers 5."""
    try:
        trainer = find_environment("cpu")
    except TrainerEnvironmentError as error:
        pytest.skip(f"RM-Gallery was not tried on verl 0.9.1: {error}")
    return Upstream(trainer.python, upstream.scratch, (_kept((BESIDE,), _make_beside),))


@pytest.fixture(scope="session")
def helpsteer2_rows() -> list[dict[str, Any]]:
    """Real rows, as the publisher wrote them."""
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()][:40]


@pytest.fixture(scope="session")
def made_tokenizer(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer with a chat template that knows `enable_thinking`, trained on the rows."""
    folder = tmp_path_factory.mktemp("tokenizer")
    upstream.run("make_tokenizer", folder=str(folder), rows=str(ROWS))
    return folder


def environment() -> Path:
    """Return the environment of RM-Gallery and OpenJudge, made if it is not there."""
    return _kept(PINS, _make_environment)


def _kept(pins: tuple[Path, ...], make: Callable[[Path, str], None]) -> Path:
    """Return the folder of these pins, made if it is not whole."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in pins)).hexdigest()[:12]
    folder = cache_root() / "interop" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if not (folder / MARKER).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder, _uv())
            (folder / MARKER).write_text(json.dumps({"pins": [path.name for path in pins]}))
    return folder


def _make_environment(folder: Path, uv: str) -> None:
    python = str(folder / "bin" / "python")
    pins = [part for path in PINS for part in ("-r", str(path))]
    subprocess.run([uv, "venv", "-q", "-p", PYTHON, str(folder)], check=True)
    subprocess.run([uv, "pip", "install", "-q", "-p", python, "--no-deps", *pins], check=True)
    write_stand_ins(folder / "lib/python3.11/site-packages")
    subprocess.run([python, "-c", "import torch, verl, rm_gallery, openjudge"], check=True)


def _make_beside(folder: Path, uv: str) -> None:
    install = [uv, "pip", "install", "-q", "-p", PYTHON, "--no-deps"]
    subprocess.run([*install, "--target", str(folder), "-r", str(BESIDE)], check=True)


def _uv() -> str:
    uv = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".rrm/uv/bin/uv")
    needed = {"uv (make setup)": uv, "python3.11": PYTHON, "gcc": "gcc", "readelf": "readelf"}
    if missing := [name for name, command in needed.items() if shutil.which(command) is None]:
        pytest.skip(f"RM-Gallery was not tried at all: {', '.join(missing)} not found")
    return uv


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
