"""The trainer's environment: its key, when it counts as whole, and what stands in for NVIDIA's libraries."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from rrm.trainer_env import __main__ as command
from rrm.trainer_env import locate
from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import (
    PROFILES,
    Environment,
    expected_environment,
    find_environment,
    is_whole,
    needs_stand_ins,
)
from rrm.trainer_env.stand_ins import symbols_of, version_script


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("profile", ["cpu", "cpu-verl04"])
def test_a_missing_compiler_is_told_before_anything_is_installed(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UV", "uv-that-would-install")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(
        sys, "argv", ["rrm.trainer_env", "--profile", profile, "--into", str(tmp_path / "env")]
    )
    assert command.main() == 11
    assert "need gcc and readelf on PATH" in capsys.readouterr().err
    assert not (tmp_path / "env").exists()


def made(profile: str = "cpu", distributions: int = 3) -> Environment:
    environment = expected_environment(profile)
    for number in range(distributions):
        (environment.site_packages / f"package{number}.dist-info").mkdir(parents=True)
    environment.python.parent.mkdir()
    environment.python.write_text("#!/bin/sh\n")
    environment.python.chmod(0o755)
    environment.marker.write_text(json.dumps({"key": environment.key, "distributions": distributions}))
    return environment


@pytest.mark.parametrize(
    ("profile", "command"),
    [("cpu", "make trainer-env"), ("cpu-verl04", r"python -m rrm\.trainer_env --profile cpu-verl04")],
)
def test_an_environment_that_was_never_made_names_the_command_that_makes_it(
    profile: str, command: str
) -> None:
    with pytest.raises(TrainerEnvironmentError, match=f"`{command}`"):
        find_environment(profile)


def test_a_whole_environment_is_found() -> None:
    environment = made()
    assert find_environment("cpu") == environment


@pytest.mark.parametrize("harm", ["marker", "python", "package0.dist-info"])
def test_a_harmed_environment_is_not_used(harm: str) -> None:
    environment = made()
    for path in (environment.marker, environment.python, environment.site_packages / "package0.dist-info"):
        if path.name.startswith(harm) or (harm == "marker" and path == environment.marker):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not is_whole(environment)


def test_profiles_have_environments_of_their_own() -> None:
    assert len({expected_environment(profile).root for profile in PROFILES}) == len(PROFILES) == 4


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(TrainerEnvironmentError, match="cpu, cuda, cpu-verl04, cuda-verl04; found 'tpu'"):
        expected_environment("tpu")


def test_other_pins_make_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = expected_environment("cpu")
    pins = tmp_path / "requirements.txt"
    pins.write_text("torch==0\n")
    monkeypatch.setattr(locate, "profile_folder", lambda _: tmp_path)
    assert expected_environment("cpu").key != before.key


def test_a_longer_prefix_owns_its_symbols() -> None:
    symbols = dict.fromkeys(["cusparseCreate", "cusparseLtInit", "nvshmem_init", "my_nvshmem_put"])
    assert set(symbols_of("libcusparse", symbols)) == {"cusparseCreate"}
    assert set(symbols_of("libcusparseLt", symbols)) == {"cusparseLtInit"}
    assert set(symbols_of("libnvshmem_host", symbols)) == {"nvshmem_init", "my_nvshmem_put"}


def test_a_version_without_symbols_is_still_defined() -> None:
    assert version_script({}, ["libcufft.so.12"]) == "libcufft.so.12 { global: none_; };\n"


@pytest.mark.parametrize(
    ("profile", "verl"),
    [("cpu", "0.9.1"), ("cuda", "0.9.1"), ("cpu-verl04", "0.4.0"), ("cuda-verl04", "0.4.0")],
)
def test_pins_are_exact_and_name_no_index(profile: str, verl: str) -> None:
    lines = (locate.profile_folder(profile) / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in pin for pin in pins)
    assert not any("://" in line or line.startswith("--") for line in lines)
    versions = dict(pin.split(" ;")[0].split("==") for pin in pins)
    assert versions["verl"] == verl
    assert versions["ray"] == "2.60.0"


@pytest.mark.parametrize("profile", PROFILES)
def test_nvidias_libraries_are_left_out_exactly_where_stand_ins_take_their_place(profile: str) -> None:
    pins = (locate.profile_folder(profile) / "requirements.txt").read_text().splitlines()
    nvidia = [pin for pin in pins if pin.startswith("nvidia-") and "cuda-runtime" not in pin]
    assert needs_stand_ins(profile) == (not nvidia)


@pytest.mark.parametrize("profile", ["cpu-verl04", "cuda-verl04"])
def test_the_older_engine_has_what_it_does_not_declare(profile: str) -> None:
    names = {line.split("==")[0] for line in (locate.profile_folder(profile) / "requirements.txt").open()}
    assert {"aiohttp", "cachetools", "fastapi", "openai", "uvicorn"} <= names
