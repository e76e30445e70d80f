"""Presets: complete sets of hyper-parameters, and how a training's own values override them.

An intent goes into `resolve`, every effective number comes out; nothing downstream has defaults of its own.
"""

from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.preset import Preset, Value
from rrm.presets.resolve import preset_of, resolve
from rrm.presets.tables import PRESETS

__all__ = ["PRESETS", "Hyperparameters", "Preset", "Value", "preset_of", "resolve"]
