"""An operator in a world without a cluster, and the trainings it begins with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_operator.facts import Key, Manifest
from rrm_operator.keys import RayKeys
from rrm_operator.reconcile import Reconciler
from rrm_operator.settings import Settings
from tests.unit.rrm_operator.cluster_that_remembers import NAMESPACE
from tests.unit.rrm_operator.world import World

EXAMPLES = Path(__file__).parents[3] / "crds" / "examples"
UID = "0a1b2c3d-0000-4000-8000-000000000001"


def example(name: str) -> Manifest:
    """Return a training as the API server would hold it: an example with metadata."""
    manifest: Manifest = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    manifest["metadata"] |= {"namespace": NAMESPACE, "uid": UID, "generation": 1, "resourceVersion": "1"}
    return manifest


@dataclass
class Operator:
    """The operator in a world; `restart` forgets all that is not written down in the world."""

    world: World
    key: Key
    settings: Settings
    keys: RayKeys
    reconciler: Reconciler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        world = self.world
        self.reconciler = Reconciler(world.store, world, world, world, self.settings, self.keys)

    async def look(self) -> float | None:
        return await self.reconciler.reconcile(self.key)

    async def settle(self) -> str:
        """Look until nothing more is written; return the stage."""
        for _ in range(8):
            before = len(self.world.log)
            await self.look()
            if len(self.world.log) == before:
                return str(self.world.status.get("stage"))
        raise AssertionError(f"it never settles: {self.world.log[-12:]}")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    return Settings(default_image="registry.example.com/rrm-trainer:1")


@pytest.fixture
def keys() -> RayKeys:
    return RayKeys({"k1": b"secret"}, newest="k1")


@pytest.fixture
def world() -> World:
    world = World()
    world.store.set_kuberay(installed=True)
    return world


@pytest.fixture
def load_example() -> Callable[[str], Manifest]:
    return example


@pytest.fixture
def operator(world: World, settings: Settings, keys: RayKeys) -> Operator:
    return Operator(world, world.apply_training(example("tiny-cpu")), settings, keys)


@pytest.fixture
def unforgiving(world: World, settings: Settings, keys: RayKeys) -> Operator:
    """An operator whose training is never tried again by itself."""
    manifest = example("tiny-cpu")
    manifest["spec"]["policy"] = {"maxRestarts": 0}
    return Operator(world, world.apply_training(manifest), settings, keys)


@pytest.fixture
def operator_of(settings: Settings, keys: RayKeys) -> Callable[..., Operator]:
    """Make an operator in a world of its own."""

    def make(manifest: Manifest, **chosen: Any) -> Operator:
        world = World()
        world.store.set_kuberay(installed=True)
        return Operator(world, world.apply_training(manifest), settings.model_copy(update=chosen), keys)

    return make
