"""The operator in a world without a cluster, and a trainer's attempt without a trainer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rrm.train.attempt import Attempt
from rrm_operator.facts import Manifest
from rrm_operator.keys import RayKeys
from rrm_operator.settings import Settings
from tests.complaints.trainer import attempt_on
from tests.complaints.world import World
from tests.unit.rrm_operator.conftest import Operator, example

SETTINGS = Settings(default_image="registry.example.com/rrm-trainer:1")
KEYS = RayKeys({"k1": b"secret"}, newest="k1")


def operator_in_a_world(manifest: Manifest, **spec: Any) -> Operator:
    """Return an operator in a world of its own, with one training."""
    manifest["spec"].update(spec)
    world = World()
    world.store.set_kuberay(installed=True)
    return Operator(world, world.apply_training(manifest), SETTINGS, KEYS)


@pytest.fixture
def operator() -> Operator:
    """The operator of the smallest training."""
    return operator_in_a_world(example("tiny-cpu"))


@pytest.fixture
def operator_of() -> Callable[..., Operator]:
    """Return what makes an operator for an example, with parts of its spec replaced."""

    def make(name: str, **spec: Any) -> Operator:
        return operator_in_a_world(example(name), **spec)

    return make


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    """Attempt 1 of the smallest example, with its folder."""
    return attempt_on(tmp_path)
