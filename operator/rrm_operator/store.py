"""What is known about every training: facts from watch events, no bodies but the trainings' own.

Fed by `handlers` (one call per event) and corrected by `sweep` (lists of names); read by the reconciler
through `ports.Facts`. Not kopf's indices: those keep an object for ever that vanished while a watch was down.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rrm_api import group
from rrm_operator.entries import Child, Entry
from rrm_operator.facts import (
    ClaimFact,
    JobFact,
    Key,
    Kind,
    Manifest,
    ObjectFact,
    PodFact,
    ProgressFact,
    RayClusterFact,
    Snapshot,
)
from rrm_operator.facts_from import child_fact, progress_fact, slim_training
from rrm_operator.manifests import training_of

PROGRESS_SUFFIX: Final = "-progress"
_QUICKLY: Final = 1
"""Level of compression: 4 kB become 1.3 kB, in some 20 us."""


@dataclass(frozen=True, order=True)
class Identity:
    """One object that exists, or existed: a namesake made later has another uid."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class Sweep:
    """What comparing the store with a list of names gave."""

    evicted: frozenset[Key]
    """Trainings that lost a ghost."""
    missing: frozenset[Identity]
    """Objects that exist but that no event has told us of (yet)."""


class Store:
    """The store; not thread-safe, lives in the event loop of the workers."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._owners: dict[tuple[str, str, str], Key] = {}
        self._kuberay_installed = False
        self._order = 0

    @property
    def order(self) -> int:
        """Number of the last event; what was fed up to here is older than what is listed now."""
        return self._order

    @property
    def kuberay_installed(self) -> bool:
        """Whether RayClusters can be made."""
        return self._kuberay_installed

    def keys(self) -> frozenset[Key]:
        """Return all trainings that can be looked at."""
        return frozenset(key for key, entry in self._entries.items() if entry.body is not None)

    def snapshot(self, key: Key) -> Snapshot | None:
        """Return what is known about a training, None if that is nothing: usually it is gone."""
        entry = self._entries.get(key)
        if entry is None or entry.body is None:
            return None
        facts = [child.fact for _, child in sorted(entry.children.items())]
        claims = (fact for fact in facts if isinstance(fact, ClaimFact))
        return Snapshot(
            manifest=json.loads(zlib.decompress(entry.body)),
            kuberay_installed=self._kuberay_installed,
            claim=next(claims, None),
            objects=tuple(fact for fact in facts if isinstance(fact, ObjectFact)),
            jobs=tuple(fact for fact in facts if isinstance(fact, JobFact)),
            clusters=tuple(fact for fact in facts if isinstance(fact, RayClusterFact)),
            pods=tuple(fact for fact in facts if isinstance(fact, PodFact)),
            progress=entry.progress,
        )

    def feed(self, kind: str, manifest: Manifest, *, deleted: bool = False) -> Key | None:
        """Take in one event; return the training to look at, None if nothing that matters has changed."""
        self._order += 1
        if kind == group.KIND:
            return self._feed_training(manifest, deleted=deleted)
        return self._feed_child(Kind(kind), manifest, deleted=deleted)

    def acknowledge(self, kind: str, manifest: Manifest) -> None:
        """Note that an object exists whose event could not be taken in; what was known of it stays."""
        metadata, uid = manifest["metadata"], _uid(manifest)
        if kind == group.KIND:
            entry = self._entry(Key(metadata["namespace"], metadata["name"]))
            if entry.uid != uid:
                entry.body = None
            self._note(entry, uid)
        elif (owner := training_of(manifest)) is not None:
            key = Key(metadata["namespace"], owner)
            before = self._child(Kind(kind), key, metadata["name"])
            fact = before.fact if before is not None and before.uid == uid else None
            self._put(Kind(kind), key, metadata["name"], Child.of(uid, fact, self._order))

    def owner(self, kind: str, manifest: Manifest) -> Key | None:
        """Return the training whose child an object is as far as is known."""
        metadata = manifest["metadata"]
        return self._owners.get((kind, metadata["namespace"], metadata["name"]))

    def is_word(self, kind: str, manifest: Manifest) -> bool:
        """Return whether an event, before it is fed, tells what a person or the trainer has said anew.

        All others tell of what this operator, or a controller, has written.
        """
        metadata = manifest["metadata"]
        if kind == group.KIND:
            entry = self._entries.get(Key(metadata["namespace"], metadata["name"]))
            return entry is None or entry.body is None or entry.words != _words(manifest)
        if kind != Kind.CONFIG_MAP or not metadata["name"].endswith(PROGRESS_SUFFIX):
            return False
        entry = self._entries.get(Key(metadata["namespace"], training_of(manifest) or ""))
        return entry is not None and entry.answers != _answers(manifest)

    def set_kuberay(self, *, installed: bool) -> frozenset[Key]:
        """Note whether KubeRay's kind exists; return the trainings to look at."""
        if installed == self._kuberay_installed:
            return frozenset()
        self._kuberay_installed = installed
        if not installed:
            self.sweep(Kind.RAY_CLUSTER, frozenset(), until=self._order)
        return self.keys()

    def sweep(self, kind: str, listed: Iterable[Identity], *, until: int) -> Sweep:
        """Evict what was fed up to `until` and is not listed; name what is listed and was never fed."""
        exists = frozenset(listed)
        known = self._known(kind)
        ghosts = {one: order for one, order in known.items() if one not in exists and order <= until}
        evicted = {self._evict(kind, ghost) for ghost in ghosts}
        return Sweep(frozenset(key for key in evicted if key), exists - known.keys())

    def untold(self, kind: str, identities: frozenset[Identity]) -> frozenset[Identity]:
        """Return which objects no event has told of."""
        return identities - self._known(kind).keys()

    def _feed_training(self, manifest: Manifest, *, deleted: bool) -> Key:
        key = Key(manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        # kopf keeps the order of events only for each uid: a late DELETED must not remove the successor.
        if not deleted:
            # Not by a quicker reader: what a pod template may hold is more than those can write or read.
            body = json.dumps(slim_training(manifest), separators=(",", ":")).encode()
            packed = zlib.compress(body, _QUICKLY)
            words = _words(manifest)
            entry = self._entry(key)
            entry.body, entry.words = packed, words
            self._note(entry, _uid(manifest))
        elif self._entry(key).uid == _uid(manifest):
            self._lose(key)
        self._forget_if_empty(key)
        return key

    def _note(self, entry: Entry, uid: str) -> None:
        entry.exists, entry.uid, entry.order = True, uid, self._order

    def _lose(self, key: Key) -> None:
        entry = self._entries[key]
        entry.exists, entry.body = False, None

    def _feed_child(self, kind: Kind, manifest: Manifest, *, deleted: bool) -> Key | None:
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        owner = training_of(manifest)
        if deleted or owner is None:
            return self._drop(kind, Identity(namespace, name, _uid(manifest)))
        child = Child.of(_uid(manifest), child_fact(kind, manifest), self._order)
        before = self._child(kind, Key(namespace, owner), name)
        key = self._put(kind, Key(namespace, owner), name, child)
        changed = not child.says_the_same(before)
        return key if self._feed_progress(key, kind, manifest) or changed else None

    def _child(self, kind: Kind, key: Key, name: str) -> Child | None:
        entry = self._entries.get(key)
        return entry.children.get((kind, name)) if entry is not None else None

    def _put(self, kind: Kind, key: Key, name: str, child: Child) -> Key:
        """Keep a child of a training, and of no other; return the key as all children refer to it."""
        former = self._owners.get((kind.value, key.namespace, name))
        if former is not None and former != key:
            self._remove(kind, former, name)
        entry = self._entry(key)
        entry.children[kind, name] = child
        self._owners[kind.value, entry.key.namespace, name] = entry.key
        return entry.key

    def _feed_progress(self, key: Key, kind: Kind, manifest: Manifest) -> bool:
        if kind is not Kind.CONFIG_MAP or manifest["metadata"]["name"] != key.name + PROGRESS_SUFFIX:
            return False
        entry, progress = self._entries[key], progress_fact(manifest)
        changed = progress != entry.progress
        entry.progress, entry.answers = progress, _answers(manifest)
        return changed

    def _drop(self, kind: Kind, gone: Identity) -> Key | None:
        key = self._owners.get((kind.value, gone.namespace, gone.name))
        child = self._child(kind, key, gone.name) if key is not None else None
        # A late DELETED of an object must not remove the namesake that was made since.
        if key is None or child is None or child.uid != gone.uid:
            return None
        self._remove(kind, key, gone.name)
        return key

    def _remove(self, kind: Kind, key: Key, name: str) -> None:
        entry = self._entries[key]
        del entry.children[kind, name]
        del self._owners[kind.value, key.namespace, name]
        if kind is Kind.CONFIG_MAP and name == key.name + PROGRESS_SUFFIX:
            entry.progress = ProgressFact()
        self._forget_if_empty(key)

    def _evict(self, kind: str, ghost: Identity) -> Key | None:
        if kind != group.KIND:
            return self._drop(Kind(kind), ghost)
        key = Key(ghost.namespace, ghost.name)
        self._lose(key)
        self._forget_if_empty(key)
        return key

    def _entry(self, key: Key) -> Entry:
        found = self._entries.get(key)
        if found is None:
            found = self._entries[key] = Entry(key)
        return found

    def _forget_if_empty(self, key: Key) -> None:
        if self._entries[key].is_empty():
            del self._entries[key]

    def _known(self, kind: str) -> dict[Identity, int]:
        if kind == group.KIND:
            return {
                Identity(key.namespace, key.name, entry.uid): entry.order
                for key, entry in self._entries.items()
                if entry.exists
            }
        return {
            Identity(key.namespace, name, child.uid): child.order
            for key, entry in self._entries.items()
            for (child_kind, name), child in entry.children.items()
            if child_kind == kind
        }


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("uid", ""))


def _words(manifest: Manifest) -> int:
    metadata = manifest["metadata"]
    annotations = tuple(sorted((metadata.get("annotations") or {}).items()))
    said = (metadata.get("uid"), metadata.get("generation"), metadata.get("deletionTimestamp"))
    return hash((said, annotations))


def _answers(manifest: Manifest) -> int:
    return hash(tuple(sorted((manifest.get("data") or {}).items())))
