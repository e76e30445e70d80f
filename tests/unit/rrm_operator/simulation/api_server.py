"""An API server that remembers, and its garbage collector.

Manifests are never changed in place, so that they can be shared.
Verbs here are what everybody but the operator uses; `operator_side` adds what can go wrong on a network.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rrm_operator.facts import Kind, Manifest

from .timeline import Timeline

NAMESPACE = "demo"
COLLECT_SECONDS = 1.0
"""How long the garbage collector takes to see that an owner is gone."""
GRACE_SECONDS = 3.0

Told = Callable[[str, Manifest, bool], None]
"""Kind, manifest, whether it was deleted."""
Address = tuple[str, str]


def written(seconds: float) -> str:
    """Return a moment as Kubernetes writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def merged(below: Manifest, patch: Manifest) -> Manifest:
    """Return a merge patch applied; shares what neither changes."""
    result = dict(below)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result


@dataclass
class ApiServer:
    """All objects of one namespace, by kind and name."""

    timeline: Timeline
    objects: dict[Address, Manifest] = field(default_factory=dict)
    listeners: list[Told] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    """Pods whose node is lost: told to go, they stay."""
    versions: int = 0
    _owned: dict[str, dict[Address, None]] = field(default_factory=dict)
    _alive: set[str] = field(default_factory=set)
    _applied: dict[Address, Manifest] = field(default_factory=dict)

    def get(self, kind: str, name: str) -> Manifest | None:
        """Return an object, None if there is none."""
        return self.objects.get((kind, name))

    def named(self, kind: str) -> list[str]:
        """Return the names of all objects of a kind, oldest first."""
        return [name for it, name in self.objects if it == kind]

    def owned(self, uid: str, kind: str) -> list[Manifest]:
        """Return what an object owns."""
        return [self.objects[it] for it in self._owned.get(uid, {}) if it[0] == kind and it in self.objects]

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object under a new version, new ones with uid and time, and tell of it."""
        self.versions += 1
        kind, metadata = manifest["kind"], dict(manifest["metadata"])
        metadata.setdefault("uid", f"{self.versions:08x}-0000-4000-8000-{self.versions:012d}")
        metadata.setdefault("creationTimestamp", written(self.timeline.now))
        metadata["resourceVersion"] = str(self.versions)
        manifest = {**manifest, "metadata": metadata}
        address = (kind, metadata["name"])
        self.objects[address] = manifest
        self._alive.add(metadata["uid"])
        for owner in metadata.get("ownerReferences") or ():
            if isinstance(owner, dict) and owner.get("uid"):
                self._owned.setdefault(owner["uid"], {})[address] = None
                if owner["uid"] not in self._alive:
                    self._collect_later(owner["uid"])
        self._tell(kind, manifest, False)
        return manifest

    def change(self, kind: str, name: str, patch: Manifest) -> None:
        """Merge a patch into an object that is there; one that is gone is left alone."""
        live = self.objects.get((kind, name))
        if live is not None:
            self.put(merged(live, patch))

    def apply(self, manifest: Manifest) -> None:
        """Server-side apply: what we applied before and do not name now goes, what others wrote stays."""
        address = (manifest["kind"], manifest["metadata"]["name"])
        live, before = self.objects.get(address), self._applied.get(address)
        self._applied[address] = manifest
        if live is None:
            self.put(manifest)
            return
        wanted = _without(live, before or {}, manifest)
        self.put(merged(wanted, manifest))

    def delete(self, kind: str, name: str, *, grace: float | None = None) -> None:
        """Delete an object in the background: a pod leaves after its grace, all else at once."""
        live = self.objects.get((kind, name))
        if live is None:
            return
        if kind != Kind.POD:
            self.remove(kind, name)
            return
        seconds = GRACE_SECONDS if grace is None else grace
        if "deletionTimestamp" not in live["metadata"]:
            deletion = {"deletionTimestamp": written(self.timeline.now + seconds)}
            self.put({**live, "metadata": {**live["metadata"], **deletion}})
        uid = live["metadata"]["uid"]
        self.timeline.after(seconds, lambda: self._pod_goes(name, uid))

    def remove(self, kind: str, name: str) -> None:
        """Let an object be gone, and have what it owned collected."""
        live = self.objects.pop((kind, name), None)
        if live is None:
            return
        uid = live["metadata"]["uid"]
        self.versions += 1
        self._alive.discard(uid)
        self._applied.pop((kind, name), None)
        for owner in live["metadata"].get("ownerReferences") or ():
            if isinstance(owner, dict):
                self._owned.get(owner.get("uid", ""), {}).pop((kind, name), None)
        if self._owned.get(uid):
            self._collect_later(uid)
        else:
            self._owned.pop(uid, None)
        self._tell(kind, live, True)

    def nodes_come_back(self) -> None:
        """Let pods of lost nodes that were told to go be gone."""
        stuck, self.stuck = self.stuck, set()
        for name in stuck:
            live = self.get(Kind.POD, name)
            if live is not None and "deletionTimestamp" in live["metadata"]:
                self.remove(Kind.POD, name)

    def _pod_goes(self, name: str, uid: str) -> None:
        live = self.get(Kind.POD, name)
        if live is not None and live["metadata"]["uid"] == uid and name not in self.stuck:
            self.remove(Kind.POD, name)

    def _collect_later(self, uid: str) -> None:
        self.timeline.after(COLLECT_SECONDS, lambda: self._collect(uid))

    def _collect(self, uid: str) -> None:
        for kind, name in list(self._owned.pop(uid, {})):
            live = self.objects.get((kind, name))
            owners: Any = (live or {}).get("metadata", {}).get("ownerReferences") or ()
            if any(it.get("uid") == uid for it in owners):
                self.delete(kind, name)

    def _tell(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        for listener in self.listeners:
            listener(kind, manifest, deleted)


def _without(live: Manifest, before: Manifest, now: Manifest) -> Manifest:
    """Return a live object without what was applied before and is not applied now: annotations and data."""
    result = dict(live)
    gone_data = (before.get("data") or {}).keys() - (now.get("data") or {}).keys()
    if gone_data:
        result["data"] = {key: it for key, it in live.get("data", {}).items() if key not in gone_data}
    old = before.get("metadata", {}).get("annotations") or {}
    gone = old.keys() - (now["metadata"].get("annotations") or {}).keys()
    if gone:
        annotations = live["metadata"].get("annotations", {})
        kept = {key: it for key, it in annotations.items() if key not in gone}
        result["metadata"] = {**live["metadata"], "annotations": kept}
    return result
