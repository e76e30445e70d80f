"""What a Python file of the user offers: rewards, templates and datasets, told by their shape."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

from rrm.errors import PluginFailed
from rrm.plugins.datasets import is_upstream_dataset

_ANSWER: Final = ("solution_str", "solution_strs")
_CONVERT: Final = "convert_to_data_sample"


class Kind(StrEnum):
    """What a plug-in can be."""

    REWARD = "reward"
    TEMPLATE = "template"
    DATASET = "dataset"


@dataclass(frozen=True)
class Part:
    """Something in the user's file.

    Attributes:
        kind: What it is.
        name: Its name in the module.
        thing: The function or class itself.
    """

    kind: Kind
    name: str
    thing: Any


def parts_of(module: ModuleType, named: dict[Kind, str | None]) -> list[Part]:
    """Return the plug-ins of a module: those that are named, else all that look like one.

    Args:
        module: The user's module.
        named: Names that the user gave, by kind.

    Raises:
        PluginFailed: If a name is not there, or none is given and nothing looks like a plug-in.
    """
    chosen = [_named(module, kind, name) for kind, name in named.items() if name is not None]
    found = chosen or list(_guessed(module))
    if not found:
        raise PluginFailed(
            f"{module.__name__}: nothing looks like a plug-in; a reward is a function with the parameters "
            "data_source, solution_str, ground_truth and extra_info, a template a class with format and "
            "parse, a converter a function called convert or a class with convert_to_data_sample; or "
            "name it: --reward, --template, --dataset"
        )
    return found


def _named(module: ModuleType, kind: Kind, name: str) -> Part:
    if not hasattr(module, name):
        raise PluginFailed(f"--{kind} {name}: the module {module.__name__} has no {name}")
    return Part(kind, name, getattr(module, name))


def _guessed(module: ModuleType) -> Iterator[Part]:
    for name, thing in vars(module).items():
        is_own = getattr(thing, "__module__", None) == module.__name__
        kind = _kind_of(name, thing) if is_own and not name.startswith("_") else None
        if kind is not None:
            yield Part(kind, name, thing)


def _kind_of(name: str, thing: Any) -> Kind | None:
    if inspect.isclass(thing):
        if is_upstream_dataset(thing) or hasattr(thing, _CONVERT):
            return Kind.DATASET
        return Kind.TEMPLATE if hasattr(thing, "format") and hasattr(thing, "parse") else None
    if not inspect.isfunction(thing):
        return None
    parameters = inspect.signature(thing).parameters
    if any(parameter in _ANSWER for parameter in parameters) or name.startswith("compute_score"):
        return Kind.REWARD
    return Kind.DATASET if name.startswith("convert") else None
