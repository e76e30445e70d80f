"""A user's own converter: a function from a raw row to samples, or a class like RM-Gallery's `DataConverter`.

    def convert(row: dict) -> DataSample | dict | list[DataSample | dict] | None: ...

    class Converter:
        def convert_to_data_sample(self, data_dict, source_info=None): ...

A dataset class of RM-Gallery (`BaseTrainDataset`) is no converter: it reads that project's own rows, as
`data_sample` does, and writes the prompts later, when the trainer asks for them.

Samples may be ours, RM-Gallery's, or records of the same shape. An empty list leaves the row out on purpose;
None, as in RM-Gallery, says that the row could not be converted: it is refused and counted, and so is a row
for which the converter raises.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

from pydantic import BaseModel

from rrm.datasets import data_sample
from rrm.datasets.fields import WRONG_TYPE
from rrm.datasets.refusal import RowRefused, shown
from rrm.errors import PluginFailed
from rrm.plugins import load_entry_point
from rrm.plugins.contained import Raised, contained
from rrm.plugins.datasets import is_upstream_dataset
from rrm.sample import DataSample

FIELD: Final = "source.entryPoint"
METHOD: Final = "convert_to_data_sample"
RAISED: Final = "converter raised"


@dataclass(frozen=True)
class CustomConverter:
    """Calls the converter of an entry point, which is imported with the first row."""

    entry_point: str

    def __call__(self, row: Mapping[str, Any]) -> list[DataSample]:
        """Return the samples of a row.

        Raises:
            RowRefused: If the converter raises, or returns nothing or something that is no sample.
            PluginFailed: If the entry point is not there or has not the form of a converter.
        """
        function = self._function
        made = contained(partial(_called, function, row))
        if isinstance(made, RowRefused):
            raise made
        if isinstance(made, Raised):
            raise RowRefused(RAISED, expected=f"{self.entry_point} to convert the row", found=str(made))
        if made is None:
            raise RowRefused("converter returned nothing", expected="a sample or a list", found="None")
        return [
            sample for each in (made if isinstance(made, list | tuple) else [made]) for sample in _read(each)
        ]

    @cached_property
    def _function(self) -> Callable[[Mapping[str, Any]], Any]:
        target = load_entry_point(self.entry_point, field=FIELD)
        if is_upstream_dataset(target):
            return data_sample.convert
        if inspect.isclass(target):
            target = self._made(target)
        if hasattr(target, METHOD):
            method = getattr(target, METHOD)
            if len(inspect.signature(method).parameters) > 1:
                return lambda row: method(row, {})
            target = method
        if not callable(target):
            raise PluginFailed(
                f"{FIELD} {self.entry_point}: expected a function or a class with {METHOD}, "
                f"found {type(target).__name__}"
            )
        return target  # type: ignore[no-any-return]

    def _made(self, target: type[Any]) -> Any:
        if not hasattr(target, METHOD):
            raise PluginFailed(f"{FIELD} {self.entry_point}: the class has no method {METHOD}")
        made = contained(target)
        if isinstance(made, Raised):
            raise PluginFailed(f"{FIELD} {self.entry_point}: a converter is made without arguments: {made}")
        return made


def _called(function: Callable[[Mapping[str, Any]], Any], row: Mapping[str, Any]) -> Any:
    """Return what the function returns; a refusal is an answer too, not a fault."""
    try:
        return function(row)
    except RowRefused as refusal:
        return refusal


def _read(made: Any) -> list[DataSample]:
    match made:
        case DataSample():
            return [made]
        case BaseModel():
            return data_sample.convert(made.model_dump(mode="json"))
        case Mapping():
            return data_sample.convert(made)
    raise RowRefused(WRONG_TYPE, expected="a sample, or a record of the same shape", found=shown(made))
