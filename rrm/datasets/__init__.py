"""Converters, one file per format: raw row in, samples out; `converter_of` names the one for a format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rrm.datasets import helpsteer2_pointwise
from rrm.sample import DataSample
from rrm.scales import Scale
from rrm_api.spec_data import DataFormat

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Converter:
    """What a format means.

    Attributes:
        convert: Returns the samples of a raw row; raises `RowRefused` for a row that is not of the format.
        scale: Range of the labels.
        data_source: Name under which metrics are kept apart.
    """

    convert: Callable[[Row], list[DataSample]]
    scale: Scale
    data_source: str


_CONVERTERS: Final = {
    DataFormat.HELPSTEER2_POINTWISE: Converter(
        helpsteer2_pointwise.convert, helpsteer2_pointwise.SCALE, "helpsteer2"
    ),
}


def converter_of(data_format: DataFormat) -> Converter:
    """Return the converter of a format."""
    return _CONVERTERS[data_format]
