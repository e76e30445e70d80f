"""Which verl: the installed one decides, and one that nobody knows is refused."""

import importlib.metadata

import pytest

from rrm.errors import InvalidSpec
from rrm.train.engine import Engine, engine_of, installed_engine, profile_of
from rrm.trainer_env.locate import PROFILES
from rrm_api.spec_pods import Accelerator


def test_every_engine_has_a_profile_for_every_accelerator() -> None:
    assert sorted(profile_of(a, e) for a in Accelerator for e in Engine) == sorted(PROFILES)


@pytest.mark.parametrize("engine", Engine)
def test_the_installed_version_decides(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: engine.value)
    assert installed_engine() is engine


def test_without_verl_there_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert installed_engine() is None


def test_an_unknown_version_is_named_with_those_that_are_known() -> None:
    with pytest.raises(InvalidSpec, match=r"expected verl 0\.9\.1 or 0\.4\.0, found verl 0\.7\.0"):
        engine_of("0.7.0")
