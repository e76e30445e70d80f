"""Converters, one file per source family: raw row in, samples out; `converter_of` names the one for a format.

`judge` then turns a sample into what prompts ask about, each with its truth.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from rrm.datasets import (
    autoj,
    chat_message,
    data_sample,
    generic,
    helpsteer2_pairwise,
    helpsteer2_pointwise,
    helpsteer3_preference,
    judgebench,
    llmbar,
    pandalm,
    prmbench,
    rewardbench,
    rmbbenchmark,
    rmbench,
    ultrafeedback,
)
from rrm.datasets.converter import Converter
from rrm.datasets.custom import CustomConverter
from rrm.datasets.fields import Row
from rrm.datasets.judging import judge
from rrm.errors import InvalidSpec
from rrm.sample import DataSample
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import DataFormat, Source
from rrm_api.spec_train import Method

__all__ = ["Converter", "converter_of", "judge", "label_of", "scale_of"]


def _pairs(convert: Callable[[Row], list[DataSample]], data_source: str) -> Converter:
    return Converter(convert, PREFERENCE, ("preference",), data_source)


def _open(convert: Callable[[Row], list[DataSample]], label: str, data_source: str) -> Converter:
    return Converter(convert, None, (label,), data_source, is_open=True)


_CONVERTERS: Final = {
    DataFormat.HELPSTEER2_POINTWISE: Converter(
        helpsteer2_pointwise.convert,
        helpsteer2_pointwise.SCALE,
        helpsteer2_pointwise.ATTRIBUTES,
        "helpsteer2",
    ),
    DataFormat.HELPSTEER2_PAIRWISE: _pairs(helpsteer2_pairwise.convert, "helpsteer2_pairwise"),
    DataFormat.HELPSTEER3_PREFERENCE: _pairs(helpsteer3_preference.convert, "helpsteer3_preference"),
    DataFormat.ULTRAFEEDBACK_POINTWISE: Converter(
        ultrafeedback.convert_pointwise,
        ultrafeedback.SCALE,
        ultrafeedback.POINTWISE_LABELS,
        "ultrafeedback",
        ultrafeedback.SCALES,
    ),
    DataFormat.ULTRAFEEDBACK_PAIRWISE: Converter(
        ultrafeedback.convert_pairwise, PREFERENCE, ultrafeedback.PAIRWISE_LABELS, "ultrafeedback_pairwise"
    ),
    DataFormat.REWARDBENCH: _pairs(rewardbench.convert_first, "rewardbench"),
    DataFormat.REWARDBENCH2: _pairs(rewardbench.convert_second, "rewardbench2"),
    DataFormat.RMBENCH: _pairs(rmbench.convert, "rmbench"),
    DataFormat.RMBBENCHMARK_PAIRWISE: _pairs(rmbbenchmark.convert_pairwise, "rmbbenchmark_pairwise"),
    DataFormat.RMBBENCHMARK_BESTOFN: _pairs(rmbbenchmark.convert_bestofn, "rmbbenchmark_bestofn"),
    DataFormat.JUDGEBENCH: _pairs(judgebench.convert, "judgebench"),
    DataFormat.PRMBENCH: _pairs(prmbench.convert, "prmbench"),
    DataFormat.PANDALM: _pairs(pandalm.convert, "pandalm"),
    DataFormat.LLMBAR: _pairs(llmbar.convert, "llmbar"),
    DataFormat.AUTOJ: _pairs(autoj.convert, "autoj"),
    DataFormat.DATA_SAMPLE: _open(data_sample.convert, "helpfulness", "data_sample"),
}


def converter_of(source: Source) -> Converter:
    """Return the converter of a source's format; an own one is imported with its first row."""
    match source.format:
        case DataFormat.CHAT_MESSAGE:
            convert = partial(chat_message.convert, label=source.label)
            return _open(convert, chat_message.DEFAULT_LABEL, "chat_message")
        case DataFormat.GENERIC:
            convert = partial(generic.convert, label=source.label)
            return _open(convert, chat_message.DEFAULT_LABEL, "generic")
        case DataFormat.CUSTOM:
            # The API's rule: custom has an entry point.
            return _open(CustomConverter(source.entry_point or ""), chat_message.DEFAULT_LABEL, "custom")
    return _CONVERTERS[source.format]


def label_of(source: Source) -> str:
    """Return the attribute that is the truth of a source.

    Raises:
        InvalidSpec: If the format has no such attribute.
    """
    converter = converter_of(source)
    label = source.label or converter.labels[0]
    if label not in converter.labels and not converter.is_open:
        raise InvalidSpec(
            f"{source.uri}: expected a label of the format {source.format.value} "
            f"({', '.join(converter.labels)}), found {label}"
        )
    return label


def scale_of(source: Source, method: Method) -> Scale:
    """Return the range of what is judged: -1 to 1 for pairs, else that of the source's label.

    Raises:
        InvalidSpec: If nobody says what the range is, or single answers of a format of pairs are judged.
    """
    if method is Method.PAIRWISE:
        return PREFERENCE
    if source.scale is not None:
        return Scale(source.scale.low, source.scale.high)
    converter = converter_of(source)
    scale = converter.scales.get(label_of(source), converter.scale)
    if scale is None:
        raise InvalidSpec(
            f"{source.uri}: rows of the format {source.format.value} do not say what their labels "
            "range over; set the source's scale to its low and high"
        )
    if scale == PREFERENCE:
        raise InvalidSpec(
            f"{source.uri}: the format {source.format.value} says which answer is better and scores none; "
            "expected the method Pairwise, found Pointwise"
        )
    return scale
