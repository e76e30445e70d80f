"""What is wrong with the pod templates of a spec: they are merged entry by entry, by name."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rrm_api.v1alpha1 import RewardModelTrainingSpec
from rrm_operator.facts import PodRole

MERGE_KEYS: Final[Mapping[str, str]] = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
}
"""Lists of a pod template that are merged entry by entry, with the field that names an entry."""

ALIAS: Final = "trainer"
"""In a pod template: the main container, whatever it is called in that pod."""
MAIN_CONTAINERS: Final[Mapping[PodRole, str]] = {
    PodRole.PREPARE: "main",
    PodRole.EXPORT: "main",
    PodRole.HEAD: "ray-head",
    PodRole.WORKER: "ray-worker",
}

_WITHIN_CONTAINER: Final = ("env", "volumeMounts")


def template_faults(spec: RewardModelTrainingSpec) -> tuple[str, ...]:
    """Return what is wrong with the pod templates of a spec, each fault with its path."""
    templates = {
        "spec.workers.podTemplate": spec.workers.pod_template,
        "spec.head.podTemplate": spec.head.pod_template,
        "spec.jobs.podTemplate": spec.jobs.pod_template,
    }
    return tuple(
        fault
        for path, template in templates.items()
        if template
        for fault in pod_template_faults(path, template)
    )


def pod_template_faults(path: str, template: Any) -> Iterator[str]:
    """Yield what keeps a partial pod template from being merged by name.

    >>> list(pod_template_faults("spec.jobs.podTemplate", {"spec": {"containers": {"name": "main"}}}))
    ['spec.jobs.podTemplate.spec.containers is a mapping; a list is required']
    """
    if not isinstance(template, dict):
        yield _expected(path, template, "mapping")
        return
    for name in template.keys() - {"metadata", "spec"}:
        yield f"{path}.{name} is unknown; a pod template has metadata and spec"
    metadata, pod = template.get("metadata"), template.get("spec")
    yield from _metadata_faults(f"{path}.metadata", {} if metadata is None else metadata)
    pod = {} if pod is None else pod
    if not isinstance(pod, dict):
        yield _expected(f"{path}.spec", pod, "mapping")
        return
    for name in ("containers", "initContainers", "volumes"):
        yield from _list_faults(f"{path}.spec.{name}", pod.get(name), name)
    grace = pod.get("terminationGracePeriodSeconds", 0)
    if grace is not None and type(grace) is not int:
        yield _expected(f"{path}.spec.terminationGracePeriodSeconds", grace, "number of seconds")


def names_image(template: Mapping[str, Any], main: str) -> bool:
    """Return whether a pod template without faults gives the main container an image.

    >>> names_image({"spec": {"containers": [{"name": "trainer", "image": "x"}]}}, "main")
    True
    """
    containers = (template.get("spec") or {}).get("containers") or []
    return any(it.get("image") for it in containers if it["name"] in (ALIAS, main))


def _metadata_faults(path: str, metadata: Any) -> Iterator[str]:
    if not isinstance(metadata, dict):
        yield _expected(path, metadata, "mapping")
        return
    for name, value in metadata.items():
        if name not in ("labels", "annotations"):
            yield f"{path}.{name} is unknown; labels and annotations may be added"
        elif not isinstance(value, dict):
            yield _expected(f"{path}.{name}", value, "mapping")


def _list_faults(path: str, entries: Any, name: str) -> Iterator[str]:
    if entries is None:
        return
    if not isinstance(entries, list):
        yield _expected(path, entries, "list")
        return
    key = MERGE_KEYS[name]
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict):
            yield _expected(f"{path}[{i}]", entry, "mapping")
        elif not isinstance(entry.get(key), str) or not entry[key]:
            yield f"{path}[{i}].{key} is required: entries are merged by it"
        elif name in ("containers", "initContainers"):
            for inner in _WITHIN_CONTAINER:
                yield from _list_faults(f"{path}[{i}].{inner}", entry.get(inner), inner)


def _expected(path: str, found: Any, wanted: str) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "a string", type(None): "null"}
    return f"{path} is {kinds.get(type(found), f'{found!r}')}; a {wanted} is required"
