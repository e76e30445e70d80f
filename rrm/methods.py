"""The one dial: what a method stands for. A literal table, so nothing exists only because it was imported."""

from dataclasses import dataclass
from typing import Final

from rrm_api.spec_train import Method


@dataclass(frozen=True)
class MethodParts:
    """What a method selects when the spec says no more.

    Attributes:
        preset: Newest preset of the method.
    """

    preset: str


METHODS: Final = {
    Method.POINTWISE: MethodParts(preset="pointwise-v1"),
    Method.PAIRWISE: MethodParts(preset="pairwise-v1"),
}
