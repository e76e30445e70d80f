"""Where plug-ins lie, and that every process of a run finds them: the same in pods and on a laptop."""

import importlib
import os
import sys
import sysconfig
from collections.abc import MutableMapping
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path
from typing import Final

from rrm.errors import PluginFailed, VolumeUnavailable
from rrm_api.run import CLAIMS_MOUNT, PLUGINS_MOUNT, Intent
from rrm_api.spec_data import Plugins

_TAKEN: Final = sys.stdlib_module_names | {
    "rrm", "rrm_api", "torch", "verl", "ray", "vllm", "transformers", "numpy", "pyarrow", "pydantic",
    "sitecustomize", "usercustomize",
}  # fmt: skip
"""Modules that no file of the user may be named like: `PYTHONPATH` is searched before Python's own library,
so a worker would find the file first."""
_INSTALLED: Final = tuple(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))
_SUFFIXES: Final = sorted(all_suffixes(), key=len, reverse=True)


def add_plugin_path(
    intent: Intent, claims: Path, *, environ: MutableMapping[str, str] | None = None
) -> Path | None:
    """Let this process and those it starts find the plug-ins of a training; returns their folder.

    Called by every process that loads an entry point, before it does; a second call changes nothing.

    Args:
        intent: What is wanted; without `plugins` nothing happens.
        claims: Folder that holds each other claim under its name. Outside Kubernetes a ConfigMap is a folder
            in it, too.
        environ: Environment whose `PYTHONPATH` is extended; default: this process's.

    Raises:
        VolumeUnavailable: If the folder is not there.
        PluginFailed: If its path leaves the claim, it is empty, as in a pod whose ConfigMap is not there,
            or one of its files has the name of a module that others need.
    """
    if intent.plugins is None:
        return None
    _require_one_folder(intent.plugins)
    folder = plugin_folder(intent.plugins, claims)
    if not folder.is_dir():
        raise VolumeUnavailable(_missing(intent.plugins, folder))
    if not any(not path.name.startswith(".") for path in folder.iterdir()):
        raise PluginFailed(_empty(intent.plugins, folder))
    require_free_names(folder)
    environ = os.environ if environ is None else environ
    entries = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if str(folder) not in entries:
        environ["PYTHONPATH"] = os.pathsep.join([*entries, str(folder)])
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
        importlib.invalidate_caches()
    return folder


def plugin_folder(plugins: Plugins, claims: Path) -> Path:
    """Return the folder of the Python files, whether or not it is there.

    >>> str(plugin_folder(Plugins(claim_name="code", path="judges"), Path("/mnt/claims")))
    '/etc/rrm-plugins/judges'
    >>> str(plugin_folder(Plugins(config_map_name="own"), Path("/home/me/claims")))
    '/home/me/claims/own'
    """
    if claims == Path(CLAIMS_MOUNT):
        root = Path(PLUGINS_MOUNT)
    else:
        root = claims.resolve() / (plugins.config_map_name or plugins.claim_name or "")
    return root / (plugins.path or "")


def require_free_names(folder: Path) -> None:
    """Return if no file of the folder hides a module that others need.

    Raises:
        PluginFailed: If one does; names it.
    """
    for path in sorted(folder.iterdir()):
        require_free_name(path)


def require_free_name(path: Path) -> None:
    """Return if a Python file or package has a name of its own; whatever is neither has.

    Raises:
        PluginFailed: If it is called like a module of Python, of ours, of verl or of the environment.
    """
    name = _module_of(path)
    if name in _TAKEN or (name and _is_installed(name, beside=path.parent) and not _came_with_pip(path)):
        raise PluginFailed(
            f"{path}: has the name of a module that others need; rename it, for example to own_{path.name}, "
            "or leave it out if it is a copy of what the image has"
        )


def _module_of(path: Path) -> str:
    """Return the module that a file or folder is found as; empty if it is none."""
    if path.is_dir():
        return path.name if any((path / f"__init__{suffix}").is_file() for suffix in _SUFFIXES) else ""
    return next((path.name.removesuffix(it) for it in _SUFFIXES if path.name.endswith(it)), "")


def _is_installed(name: str, *, beside: Path) -> bool:
    folders = [folder for folder in _INSTALLED if Path(folder).resolve() != beside.resolve()]
    found = PathFinder.find_spec(name, folders)
    return found is not None and found.loader is not None  # None: a folder without __init__.py hides nothing


def _came_with_pip(path: Path) -> bool:
    """Tell whether a module is part of a package that was put here whole: a version of it that is wanted."""
    records = path.parent.glob("*.dist-info/RECORD")
    lines = (line for record in records for line in record.read_text("utf-8", "replace").splitlines())
    return any(line.startswith((f"{path.name}/", f"{path.name},")) for line in lines)


def _require_one_folder(plugins: Plugins) -> None:
    path = plugins.path or ""
    if ".." in Path(path).parts or os.pathsep in path:
        raise PluginFailed(
            f"spec.plugins.path: expected one folder of the claim {plugins.claim_name}, found {path}; "
            f"write it without .. and {os.pathsep}"
        )


def _empty(plugins: Plugins, folder: Path) -> str:
    if plugins.config_map_name is not None:
        return (
            f"spec.plugins: expected Python files in the ConfigMap {plugins.config_map_name}, found none; is "
            "it there, in the namespace of the training? kubectl create configmap NAME --from-file=FILE.py"
        )
    return f"spec.plugins: expected Python files in {folder} of the claim {plugins.claim_name}, found none"


def _missing(plugins: Plugins, folder: Path) -> str:
    if str(folder).startswith(PLUGINS_MOUNT):
        return f"spec.plugins.path {plugins.path}: the claim {plugins.claim_name} has no such folder"
    kind = "ConfigMap" if plugins.config_map_name else "claim"
    name = plugins.config_map_name or plugins.claim_name
    return (
        f"spec.plugins: expected the Python files of the {kind} {name} at {folder}, found no folder; outside "
        f"Kubernetes fill it: mkdir -p {folder} && cp YOUR_FILES.py {folder}/"
    )
