"""`spec.plugins` in a pod: a read-only mount, and for Ray's processes its folder on the Python path.

`PYTHONPATH` is searched before Python's own library. So Jobs get none: they look at the names of the user's
files first, refuse those that would hide a module, and only then add the folder, behind everything else.
"""

from collections.abc import Mapping
from typing import Any, Final

from rrm_api.run import PLUGINS_MOUNT
from rrm_api.spec_data import Plugins
from rrm_operator.facts import Manifest

PACKAGES: Final = "/opt/rrm"
"""The trainer image's own `PYTHONPATH`, with our code: a variable of the pod replaces it as a whole."""
_VOLUME: Final = "rrm-plugins"
"""Not just `plugins`: a volume of that name in somebody's pod template would take its place."""


def plugin_mount(plugins: Plugins | None, volumes: Mapping[str, str]) -> list[Manifest]:
    """Return the mount of the plug-ins, none without plug-ins.

    Args:
        plugins: `spec.plugins`.
        volumes: Claim -> name of its volume in the pod: the kubelet mounts a claim once, whoever reads it.
    """
    if plugins is None:
        return []
    volume = volumes.get(plugins.claim_name or "", _VOLUME)
    return [{"name": volume, "mountPath": PLUGINS_MOUNT, "readOnly": True}]


def plugin_volume(plugins: Plugins | None, volumes: Mapping[str, str]) -> list[Manifest]:
    """Return the volume of the plug-ins unless the pod has it; arguments as for `plugin_mount`."""
    if plugins is None or plugins.claim_name in volumes:
        return []
    if plugins.config_map_name is not None:
        # Optional: the kubelet waits without end for one that is not there; `rrm` says so and ends.
        return [{"name": _VOLUME, "configMap": {"name": plugins.config_map_name, "optional": True}}]
    claim = {"claimName": plugins.claim_name, "readOnly": True}
    return [{"name": _VOLUME, "persistentVolumeClaim": claim}]


def plugin_folder(plugins: Plugins) -> str:
    """Return the folder that modules are found in.

    >>> plugin_folder(Plugins(claim_name="code", path="judges/"))
    '/etc/rrm-plugins/judges'
    """
    return f"{PLUGINS_MOUNT}/{plugins.path or ''}".rstrip("/")


def with_plugin_path(template: Manifest, plugins: Plugins | None, *, main: str) -> Manifest:
    """Return a pod template whose main container finds the plug-ins, after whatever its path has already.

    Last: a file of the user must not hide a module of ours. A path that comes from elsewhere (`valueFrom`)
    cannot be read here and is left alone.
    """
    if plugins is None:
        return template
    containers = [
        _with_path(it, plugin_folder(plugins)) if it["name"] == main else it
        for it in template["spec"]["containers"]
    ]
    return {**template, "spec": {**template["spec"], "containers": containers}}


def _with_path(container: Mapping[str, Any], folder: str) -> Manifest:
    own = {"name": "PYTHONPATH", "value": PACKAGES}
    entries = list(container.get("env") or [])
    if not any(entry["name"] == "PYTHONPATH" for entry in entries):
        entries.append(own)
    return {**container, "env": [_extended(entry, folder) for entry in entries]}


def _extended(entry: Manifest, folder: str) -> Manifest:
    if entry["name"] != "PYTHONPATH" or "valueFrom" in entry:
        return entry
    before = [part for part in (entry.get("value") or "").split(":") if part and part != folder]
    return {**entry, "value": ":".join([*before, folder])}
