"""From `package.module:name` to the thing itself."""

import importlib
from typing import Any

from rrm.errors import PluginFailed


def load_entry_point(entry_point: str, *, field: str) -> Any:
    """Return what an entry point names.

    Args:
        entry_point: `package.module:name`.
        field: Field of the spec that names it, for messages.

    Raises:
        PluginFailed: If module or name is not there, or importing it raises.

    >>> load_entry_point("math:sqrt", field="spec.reward.entryPoint")(9)
    3.0
    """
    module_name, _, name = entry_point.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise PluginFailed(f"{field} {entry_point}: cannot import {module_name}: {error}") from error
    if not hasattr(module, name):
        raise PluginFailed(f"{field} {entry_point}: the module {module_name} has no {name}")
    return getattr(module, name)
