"""All presets by name: ours first, then those of others."""

from typing import Final

from rrm.presets.ours import OURS
from rrm.presets.preset import Preset
from rrm.presets.published import (
    OPENJUDGE_PAIRWISE,
    OPENJUDGE_POINTWISE,
    RM_GALLERY_PAIRWISE,
    RM_GALLERY_POINTWISE,
    RM_R1_PAIRWISE,
)
from rrm_api.spec_train import Method

PRESETS: Final[dict[str, Preset]] = {
    preset.name: preset
    for preset in (
        *OURS,
        RM_GALLERY_POINTWISE,
        RM_GALLERY_PAIRWISE,
        OPENJUDGE_POINTWISE,
        OPENJUDGE_PAIRWISE,
        RM_R1_PAIRWISE,
    )
}


def presets_of(method: Method) -> list[str]:
    """Return the names of a method's presets.

    >>> presets_of(Method.PAIRWISE)[0], "rm-r1-pairwise" in presets_of(Method.POINTWISE)
    ('pairwise-v1', False)
    """
    return [name for name, preset in PRESETS.items() if preset.method is method]
