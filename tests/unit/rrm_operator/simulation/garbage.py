"""Objects that no one means: valid ones with parts exchanged, as far as an API server could hold them.

Metadata and the built-in kinds are typed by the API server itself; spec and status of a kind whose CRD has
changed since, RayClusters of another KubeRay, and the text in ConfigMaps may be anything.
"""

import copy
import json
import random
from typing import Any

from rrm_api import group
from rrm_operator.facts import Kind, Manifest

from .api_server import NAMESPACE, written
from .timeline import START

TEXTS = (
    "", " ", "x", "0", "-1", "1e999", "NaN", "true", "null", "{}", "[]", "\x00", "\U0001f600 \u202e\u0000",
    "a" * 5000, "../../etc", "judge-c1", "2026-02-30T25:61:00Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2026-01-01T00:00:00",
    "Failed", "Running", "Succeeded", "True", "\n\r\t", "%s %d {0}", "1" * 400,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308, [], {}, [None],
    [[]], [{}], {"": ""}, {"name": None}, [{"name": "x"}], [1, "a", None, {}], {"a": {"b": {"c": []}}},
)  # fmt: skip
CHILD_KINDS = tuple(kind for kind in Kind if kind is not Kind.SECRET)


class Garbage:
    """A source of it, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self) -> str:
        """Return some text."""
        return self.chance.choice(TEXTS)

    def value(self) -> Any:
        """Return anything that JSON can say."""
        return self.text() if self.chance.random() < 0.4 else copy.deepcopy(self.chance.choice(VALUES))

    def spoil(self, document: Any, *, times: int) -> Any:
        """Return a document with some of its parts exchanged, removed, doubled or added."""
        document = copy.deepcopy(document)
        for _ in range(times):
            self._spoil_once(document)
        return document

    def training(self, valid: Manifest) -> Manifest:
        """Return a training as it could be stored: its metadata is in order, all else need not be."""
        chance = self.chance
        metadata = {
            **valid["metadata"],
            "uid": f"{chance.randrange(16**8):08x}-0000",
            "resourceVersion": "1",
            "creationTimestamp": written(START),
        }
        if chance.random() < 0.3:
            metadata["annotations"] = {group.ANNOTATION_RETRY: self.text(), "a/b": self.text()}
        manifest = {**valid, "metadata": metadata}
        manifest["spec"] = self.spoil(valid["spec"], times=chance.choice((0, 0, 1, 1, 2, 5)))
        if chance.random() < 0.2:
            manifest["spec"].setdefault("jobs", {})
            if isinstance(manifest["spec"]["jobs"], dict):
                manifest["spec"]["jobs"]["podTemplate"] = self.template()
        if chance.random() < 0.7:
            manifest["status"] = self.spoil(valid.get("status") or {}, times=chance.choice((0, 1, 1, 3, 8)))
        return manifest

    def template(self) -> Any:
        """Return a pod template, which may hold anything."""
        template = {
            "metadata": {"labels": {"a": "b"}, "annotations": {}},
            "spec": {
                "containers": [{"name": "trainer", "env": [{"name": "A", "value": "b"}], "image": "x"}],
                "volumes": [{"name": "v", "emptyDir": {}}],
                "tolerations": [],
            },
        }
        return self.spoil(template, times=self.chance.choice((1, 2, 4)))

    def child(self, live: Manifest) -> Manifest:
        """Return a child of the simulation in a state that makes no sense."""
        manifest, chance = copy.deepcopy(live), self.chance
        kind = manifest["kind"]
        if kind == Kind.CONFIG_MAP:
            data = {key: self.document(text) for key, text in (manifest.get("data") or {}).items()}
            manifest["data"] = data
            if chance.random() < 0.3:
                manifest["data"][chance.choice(("prepare", "train", "export", "progress"))] = self.text()
        elif kind == Kind.RAY_CLUSTER:
            for part in ("status", "spec"):
                manifest[part] = self.spoil(manifest.get(part) or {}, times=chance.choice((0, 1, 3)))
        else:
            manifest["status"] = self.typed(manifest.get("status") or {})
        self._relabel(manifest["metadata"])
        return manifest

    def _relabel(self, metadata: Manifest) -> None:
        chance = self.chance
        for labelled in ("labels", "annotations"):
            for key in list(metadata.get(labelled) or ()):
                if chance.random() < 0.1 and key != group.LABEL_TRAINING:
                    metadata[labelled][key] = self.text()[:63]
        if chance.random() < 0.2:
            metadata["deletionTimestamp"] = written(START)

    def document(self, text: str) -> str:
        """Return the text of a JSON document, spoilt."""
        try:
            document = json.loads(text)
        except ValueError:
            return text
        text = json.dumps(self.spoil(document, times=self.chance.choice((0, 1, 1, 3))))
        return text[: self.chance.randrange(len(text))] if self.chance.random() < 0.1 else text

    def typed(self, document: Any) -> Any:
        """Return a document whose values are others of the same type: what the API server checks."""
        chance = self.chance
        if isinstance(document, dict):
            return {key: self.typed(it) for key, it in document.items() if chance.random() > 0.1}
        if isinstance(document, list):
            found = [self.typed(it) for it in document if chance.random() > 0.1]
            return found * chance.choice((1, 1, 1, 2))
        if chance.random() > 0.3:
            return document
        if isinstance(document, bool):
            return not document
        if isinstance(document, int):
            return chance.choice((0, -1, 137, 2**31 - 1))
        return self.text()

    def answer(self) -> tuple[int, str]:
        """Return what something that need not be Ray says: HTTP status and text."""
        chance = self.chance
        valid = {"status": "RUNNING", "message": "m", "driver_exit_code": None, "submission_id": "x"}
        kind = chance.randrange(3)
        if kind == 0:
            text = json.dumps(self.spoil(valid, times=chance.choice((1, 2))))
        elif kind == 1:
            text = json.dumps(
                {**valid, "status": chance.choice(("PENDING", "FAILED", "STOPPED", "SUCCEEDED"))}
            )
        else:
            text = bytes(chance.randrange(256) for _ in range(chance.randrange(40))).decode("latin-1")
        return chance.choice((200, 200, 200, 404, 500, 302)), text

    def _spoil_once(self, document: Any) -> None:
        """Change one part, anywhere."""
        chance = self.chance
        here, key = self._somewhere(document)
        if key is None:
            return
        inner = here[key]
        act = chance.randrange(5)
        if act == 0 and isinstance(here, dict):
            del here[key]
        elif act == 1 and isinstance(here, dict):
            here[self.text() or "extra"] = self.value()
        elif act == 2 and isinstance(here, list):
            here.append(copy.deepcopy(inner))
        elif act == 3:
            here[key] = _grown(inner)
        else:
            here[key] = self.value()

    def _somewhere(self, document: Any) -> tuple[Any, Any]:
        """Return a part of a document and one of its keys, None if it is empty."""
        here = document
        while here:
            key = self.chance.choice(list(here) if isinstance(here, dict) else list(range(len(here))))
            if not isinstance(here[key], dict | list) or self.chance.random() > 0.75:
                return here, key
            here = here[key]
        return here, None


def _grown(part: Any) -> Any:
    """Return the same, far too much of it."""
    if isinstance(part, str):
        return part + "a" * 40_000
    if isinstance(part, list):
        return part * 70
    if isinstance(part, dict):
        return {**part, **{f"k{i}": next(iter(part.values()), None) for i in range(70)}}
    return part if isinstance(part, bool) or part is None else part * 10**20


def labelled(manifest: Manifest) -> bool:
    """Return whether the operator's watches would tell of an object."""
    return manifest["kind"] == group.KIND or group.LABEL_TRAINING in manifest["metadata"].get("labels", {})


__all__ = ["CHILD_KINDS", "NAMESPACE", "Garbage", "labelled"]
