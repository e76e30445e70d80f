"""What a Python file of the user offers: rewards, templates and datasets, told by their shape."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

from rrm.errors import PluginFailed
from rrm.plugins.datasets import looks_upstream

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
    own = {name: it for name, it in vars(module).items() if getattr(it, "__module__", "") == module.__name__}
    bases = {base for it in own.values() if inspect.isclass(it) for base in it.__mro__[1:]}
    for name, thing in own.items():
        is_base = inspect.isabstract(thing) and thing in bases
        kind = None if is_base or name.startswith("_") else _kind_of(name, thing)
        if kind is not None:
            yield Part(kind, name, thing)


def _kind_of(name: str, thing: Any) -> Kind | None:
    if inspect.isclass(thing):
        if looks_upstream(thing) or hasattr(thing, _CONVERT):
            return Kind.DATASET
        return Kind.TEMPLATE if hasattr(thing, "format") and hasattr(thing, "parse") else None
    if not callable(thing):
        return None
    if name.startswith("compute_score") or not _parameters(thing).isdisjoint(_ANSWER):
        return Kind.REWARD
    return Kind.DATASET if name.startswith("convert") else None


def _parameters(thing: Any) -> set[str]:
    try:
        return set(inspect.signature(thing).parameters)
    except (ValueError, TypeError):  # not everything that can be called tells how
        return set()
