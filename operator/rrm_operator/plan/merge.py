"""Merges a partial pod template into another by name; nothing is changed in place."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rrm_operator.assess.checks import MERGE_KEYS
from rrm_operator.facts import Manifest

_REPLACED_WHOLE: Final = frozenset({"volumes", "env", "volumeMounts"})
"""Their entries are one-of structures: two sources of one volume would not be a volume."""


def merge(below: Manifest, above: Mapping[str, Any]) -> Manifest:
    """Return `below` with `above` on top: mappings merge, named lists merge by name, null removes.

    >>> merge({"spec": {"volumes": [{"name": "a", "emptyDir": {}}]}}, {"spec": {"volumes": [{"name": "b"}]}})
    {'spec': {'volumes': [{'name': 'a', 'emptyDir': {}}, {'name': 'b'}]}}
    """
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif key in MERGE_KEYS and isinstance(value, list):  # A label may be called `env`.
            merged[key] = upsert(merged.get(key, ()), value, key)
        elif isinstance(value, Mapping):
            merged[key] = merge(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged


def upsert(below: Sequence[Manifest], above: Sequence[Mapping[str, Any]], kind: str) -> list[Manifest]:
    """Return a named list in which the entries of `above` replace, extend or follow those of `below`.

    >>> upsert([{"name": "A", "value": "1"}], [{"name": "A", "value": "2"}, {"name": "B"}], "env")
    [{'name': 'A', 'value': '2'}, {'name': 'B'}]
    """
    name = MERGE_KEYS[kind]
    entries = {entry[name]: dict(entry) for entry in below}
    for entry in above:
        known = entries.get(entry[name])
        whole = known is None or kind in _REPLACED_WHOLE
        entries[entry[name]] = merge({}, entry) if whole else merge(known or {}, entry)
    return list(entries.values())


def renamed(template: Manifest, *, alias: str, main: str) -> Manifest:
    """Return a template in which containers called `alias` are called `main`."""
    template = {key: part for key, part in template.items() if part is not None}
    pod = template.get("spec", {})
    if pod.get("containers", ()) is None:  # Null removes, but there is no pod without containers.
        pod = {key: part for key, part in pod.items() if key != "containers"}
        template = {**template, "spec": pod}
    containers = [{**it, "name": main} if it["name"] == alias else it for it in pod.get("containers") or []]
    return {**template, "spec": {**pod, "containers": containers}} if containers else template
