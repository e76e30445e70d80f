"""The product's images, built from this checkout without Docker; each tag names its content."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm_test_cluster.demo.places import CHECKOUT
from rrm_test_cluster.images import ImageBuild, build_image, image_tag

_LOCKED: Final = ("pyproject.toml", "uv.lock", "crds/pyproject.toml", "operator/pyproject.toml")
_OPERATOR: Final = ("Dockerfile", *_LOCKED, "crds/rrm_api", "operator/rrm_operator")
_THIN: Final = ("trainer_image/Dockerfile", "pyproject.toml", "crds/pyproject.toml", "crds/rrm_api", "rrm")
_TRAINER: Final = (*_THIN, "trainer_image/smoke.py", "trainer_image/profiles/cpu")


@dataclass(frozen=True)
class Built:
    """An image in a docker-archive.

    Attributes:
        tag: Its reference.
        archive: The file.
    """

    tag: str
    archive: Path


def build_operator(say: Callable[[str], None]) -> Built:
    """Build the operator's image: about a minute, then cached by content."""
    return _build("rrm-operator", "Dockerfile", _OPERATOR, say)


def build_thin_trainer(say: Callable[[str], None]) -> Built:
    """Build the trainer's image without its environment, which is mounted from the host: about 20 s."""
    return _build("rrm-trainer-thin", "trainer_image/Dockerfile", _THIN, say, target="thin")


def build_cpu_trainer(say: Callable[[str], None]) -> Built:
    """Build the trainer's image whole, profile `cpu`: about 5 min and 3.5 GB."""
    return _build("rrm-trainer-cpu", "trainer_image/Dockerfile", _TRAINER, say, profile="cpu")


def _build(
    name: str,
    dockerfile: str,
    sources: tuple[str, ...],
    say: Callable[[str], None],
    *,
    target: str = "",
    profile: str = "",
) -> Built:
    tag = image_tag(name, [CHECKOUT / source for source in sources], target, profile)
    arguments = {"PROFILE": profile} if profile else {}
    archive = build_image(
        ImageBuild(CHECKOUT / dockerfile, CHECKOUT, tag, build_args=arguments, target=target), say
    )
    return Built(tag, archive)
