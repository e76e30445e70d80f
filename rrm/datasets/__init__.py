"""Converters, one file per format: raw row in, samples out; `converter_of` names the one for a format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rrm.datasets import helpsteer2_pointwise
from rrm.sample import DataSample
from rrm.scales import Scale
from rrm_api.spec_data import DataFormat, Source

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Converter:
    """What a format means.

    Attributes:
        convert: Returns the samples of a raw row; raises `RowRefused` for a row that is not of the format.
        scale: Range of the labels.
        labels: Attributes a row is rated in; the first is the default.
        data_source: Name under which metrics are kept apart.
    """

    convert: Callable[[Row], list[DataSample]]
    scale: Scale
    labels: tuple[str, ...]
    data_source: str


_CONVERTERS: Final = {
    DataFormat.HELPSTEER2_POINTWISE: Converter(
        helpsteer2_pointwise.convert,
        helpsteer2_pointwise.SCALE,
        helpsteer2_pointwise.ATTRIBUTES,
        "helpsteer2",
    ),
}


def converter_of(source: Source) -> Converter:
    """Return the converter of a source's format."""
    return _CONVERTERS[source.format]


def label_of(source: Source) -> str:
    """Return the attribute that is the truth of a source."""
    return source.label or converter_of(source).labels[0]
