"""From `package.module:name` to the thing itself."""

import importlib
from types import ModuleType
from typing import Any

from rrm.errors import PluginFailed
from rrm.plugins.contained import Raised, contained


def load_entry_point(entry_point: str, *, field: str) -> Any:
    """Return what an entry point names.

    Args:
        entry_point: `package.module:name`.
        field: Field of the spec that names it, for messages.

    Raises:
        PluginFailed: If module or name is not there, or importing it raises, whatever it raises; the message
            has the last line of the traceback with the user's own file and line.

    >>> load_entry_point("math:sqrt", field="spec.reward.entryPoint")(9)
    3.0
    """
    module_name, _, name = entry_point.partition(":")
    module = import_plugin(module_name, field=f"{field} {entry_point}")
    if not hasattr(module, name):
        known = ", ".join(_offered(module)) or "nothing"
        raise PluginFailed(
            f"{field} {entry_point}: the module {module_name} has no {name}; it has {known}; "
            "correct the name or the file"
        )
    return getattr(module, name)


def import_plugin(module_name: str, *, field: str) -> ModuleType:
    """Return a module of the user.

    Raises:
        PluginFailed: If it is not there, or importing it raises.
    """
    importlib.invalidate_caches()  # a folder that was filled after it was first looked into
    module = contained(lambda: importlib.import_module(module_name))
    if isinstance(module, Raised):
        raise PluginFailed(f"{field}: cannot import {module_name}: {module}")
    return module


def _offered(module: ModuleType) -> list[str]:
    """Return the public names that the module itself defines, at most 8."""
    own = (
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )
    return sorted(own)[:8]
