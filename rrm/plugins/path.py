"""Where plug-ins lie, and that every process of a run finds them: the same in pods and on a laptop."""

import importlib
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from rrm.errors import PluginFailed, VolumeUnavailable
from rrm_api.run import CLAIMS_MOUNT, PLUGINS_MOUNT, Intent
from rrm_api.spec_data import Plugins

_TAKEN: Final = sys.stdlib_module_names | {"rrm", "rrm_api", "torch", "verl", "ray", "vllm", "transformers"}
"""Modules that no file of the user may be named like: on the path the file would be found first."""


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
        PluginFailed: If it is empty, as in a pod whose ConfigMap is not there, or one of its files has the
            name of a module that Python, we or verl need.
    """
    if intent.plugins is None:
        return None
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
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            require_free_name(path)


def require_free_name(path: Path) -> None:
    """Return if a Python file or package has a name of its own.

    Raises:
        PluginFailed: If it is called like a module that Python, we or verl need.
    """
    if path.stem in _TAKEN:
        raise PluginFailed(
            f"{path}: has the name of a module that others need; rename it, for example to own_{path.name}"
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
