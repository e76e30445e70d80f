"""What a format means: the record that the table in `rrm.datasets` has one of for each format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rrm.datasets.fields import Row
from rrm.sample import DataSample
from rrm.scales import Scale


@dataclass(frozen=True)
class Converter:
    """What a format means.

    Attributes:
        convert: Returns the samples of a raw row; raises `RowRefused` for a row that is not of the format.
        scale: Range of the labels; None = the source's own `scale` must say.
        labels: Attributes that an answer is rated in; the first is the default.
        data_source: Name under which metrics are kept apart.
        scales: Range of the labels that have another one than `scale`.
        is_open: Whether rows may be rated in other attributes than `labels`.
    """

    convert: Callable[[Row], list[DataSample]]
    scale: Scale | None
    labels: tuple[str, ...]
    data_source: str
    scales: Mapping[str, Scale] = field(default_factory=dict)
    is_open: bool = False
