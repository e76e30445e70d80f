"""Trying a dataset: the samples that a converter makes of each row, or the hooks of an upstream class."""

from functools import partial
from typing import Any, Final

from rrm.datasets import judge
from rrm.datasets.custom import CustomConverter
from rrm.datasets.refusal import RowRefused
from rrm.errors import PluginFailed
from rrm.plugins.contained import Raised
from rrm.plugins.datasets import looks_upstream, missing_hooks
from rrm.plugins.trials.trial import Material, Trial
from rrm.sample import DataSample

_MOST_SHOWN: Final = 3


def try_dataset(name: str, thing: Any, entry_point: str, material: Material) -> Trial:
    """Return what a converter makes of the rows; of an upstream dataset only that its hooks are there.

    Args:
        name: Its name.
        thing: The function or class.
        entry_point: `module:name`.
        material: The rows.
    """
    if looks_upstream(thing):
        return _upstream(name, thing)
    trial = Trial(name, "converter")
    convert = CustomConverter(entry_point)
    for number, row in enumerate(material.rows, start=1):
        samples = trial.call(partial(_converted, convert, dict(row)))
        match samples:
            case RowRefused():
                _refuse(trial, samples, number)
                continue
            case PluginFailed() | Raised():
                trial.violate(str(samples))
                return trial
        trial.shown.append((f"row {number}", _words(samples)))
        for sample in samples:
            _require_truth(trial, sample, number, material)
    return trial


def _converted(convert: CustomConverter, row: dict[str, Any]) -> list[DataSample] | RowRefused | PluginFailed:
    try:
        return convert(row)
    except (RowRefused, PluginFailed) as refused:
        return refused


def _refuse(trial: Trial, refused: RowRefused, number: int) -> None:
    trial.violate(f"{refused}; the row would be dropped and counted", at=f"; first in row {number}")


def _upstream(name: str, cls: type) -> Trial:
    trial = Trial(name, "upstream dataset")
    if missing_hooks(cls):
        trial.violate(f"it does not define {', '.join(missing_hooks(cls))}")
    trial.remark("its prompts are made with a tokenizer while training; here only its hooks were looked at")
    return trial


def _words(samples: list[DataSample]) -> str:
    if not samples:
        return "left out"
    described = [
        f"{len(sample.input)} message(s), {len(sample.output)} answer(s), labels {_labels(sample)}"
        for sample in samples[:_MOST_SHOWN]
    ]
    return f"{len(samples)} sample(s): " + "; ".join(described)


def _labels(sample: DataSample) -> str:
    return ", ".join(str(output.answer.label or {}) for output in sample.output)


def _require_truth(trial: Trial, sample: DataSample, number: int, material: Material) -> None:
    try:
        judge(sample, method=material.method, label=material.label, scale=material.scale)
    except RowRefused as refused:
        _refuse(trial, refused, number)
