"""How big the model is: as the caller, its config.json or its name says, else as the preset assumes."""

import json
from dataclasses import dataclass
from pathlib import Path

from rrm.presets.model_size import Shape, parameters_of_name, shape_near, shape_of_config
from rrm.presets.preset import Preset
from rrm_api.run import Intent, Layout


@dataclass(frozen=True)
class SizedModel:
    """A model's shape and how we know it."""

    shape: Shape
    origin: str
    is_known: bool = True


def size_model(
    intent: Intent, preset: Preset, *, parameters: int | None, volume: Path, claims: Path
) -> SizedModel:
    """Return the model's shape; a config.json that cannot be read counts as none."""
    if parameters is not None:
        return SizedModel(shape_near(parameters), "--parameters")
    for path in _configs(intent, volume, claims):
        if (shape := _read(path)) is not None:
            return SizedModel(shape, str(path))
    if (named := parameters_of_name(intent.model.name)) is not None:
        return SizedModel(shape_near(named), f"the name {intent.model.name}")
    assumed = preset.model_parameters
    return SizedModel(shape_near(assumed.value), f"assumed: {assumed.source}", is_known=False)


def _configs(intent: Intent, volume: Path, claims: Path) -> list[Path]:
    """Return where the model's config.json may lie: on its claim, or copied from the hub when prepared."""
    if held := intent.model.volume:
        return [claims / held.claim_name / held.path / "config.json"]
    return sorted((Layout(volume, intent.name).root / "model").glob("*/config.json"))


def _read(path: Path) -> Shape | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        return shape_of_config(config.get("text_config", config))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
