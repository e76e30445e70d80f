"""Trying a plug-in on sample rows without a trainer: what it returned, how long it took, what it breaks."""

from rrm.plugins.trials.found import Kind, Part, parts_of
from rrm.plugins.trials.trial import Material, Trial

__all__ = ["Kind", "Material", "Part", "Trial", "parts_of"]
