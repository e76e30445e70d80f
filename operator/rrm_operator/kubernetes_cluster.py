"""The real `ports.Cluster`: writes to the API server, and lists names for the sweep.

Every verb is looked up in `rights` first, so nothing can be asked for that the chart does not grant.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from rrm_api import group
from rrm_operator.api_server import ApiServer, Request, error_of, maps_of
from rrm_operator.errors import ClusterUnavailable, Conflict, OperatorError
from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, RayClusterFact
from rrm_operator.facts_from import claim_fact, ray_cluster_fact
from rrm_operator.freshness import Freshness
from rrm_operator.manifests import metadata_of
from rrm_operator.ports import Event, Ref
from rrm_operator.rights import RAY_GROUP, RAY_VERSION, RESOURCES, STATUS, Resource, Verb
from rrm_operator.store import Identity

_log = logging.getLogger(__name__)

FIELD_MANAGER: Final = "rrm-operator"
PAGE: Final = 500
_WRITER: Final = ("fieldManager", FIELD_MANAGER)
_NAMES_ONLY: Final = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
_CREATE: Final = {"Accept": _NAMES_ONLY.format("")}
"""Nobody reads what a write has made but its version: else the API server sends the whole object back."""
_APPLY: Final = {**_CREATE, "Content-Type": "application/apply-patch+yaml"}
_MERGE: Final = {**_CREATE, "Content-Type": "application/merge-patch+json"}
_EVENT_CHARS: Final = 1024
_WAITING_EVENTS: Final = 1000


class KubernetesCluster:
    """`ports.Cluster` over a raw connection."""

    def __init__(self, server: ApiServer, freshness: Freshness | None = None) -> None:
        """Connect; `freshness` is told of every status that is written."""
        self._server = server
        self._freshness = freshness or Freshness()
        self._events: asyncio.Queue[Manifest] = asyncio.Queue(_WAITING_EVENTS)

    async def create(self, manifest: Manifest) -> None:
        """Create an object; one that exists already counts as created."""
        resource = granted(manifest["kind"], Verb.CREATE)
        path = resource.path(manifest["metadata"]["namespace"])
        request = Request("POST", path, manifest, query=[_WRITER], headers=_CREATE)
        answer = await self._server.send(request)
        if answer.status >= 300 and answer.status != 409:
            raise error_of(request, answer)

    async def apply(self, manifest: Manifest) -> None:
        """Server-side apply with our field manager."""
        resource = granted(manifest["kind"], Verb.PATCH)
        path = resource.path(manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        query = [_WRITER, ("force", "true")]
        await self._server.ask(Request("PATCH", path, manifest, query=query, headers=_APPLY))

    async def patch(self, ref: Ref, patch: Manifest) -> None:
        """Merge-patch an object."""
        path = granted(ref.kind, Verb.PATCH).path(ref.namespace, ref.name)
        await self._server.ask(Request("PATCH", path, patch, query=[_WRITER], headers=_MERGE))

    async def delete(self, ref: Ref) -> None:
        """Delete in the background; an object that is gone, or made anew since, counts as deleted."""
        path = granted(ref.kind, Verb.DELETE).path(ref.namespace, ref.name)
        options: Manifest = {"propagationPolicy": "Background"}
        if ref.uid:
            options["preconditions"] = {"uid": ref.uid}
        try:
            await self._server.ask(Request("DELETE", path, options))
        except Conflict:
            return

    async def get_claim(self, namespace: str, name: str) -> ClaimFact | None:
        """Return a claim that is not ours, and so is not watched; None if it does not exist."""
        path = granted(Kind.PERSISTENT_VOLUME_CLAIM, Verb.GET).path(namespace, name)
        request = Request("GET", path)
        answer = await self._server.send(request)
        if answer.status == 404:
            return None
        if answer.status >= 300:
            raise error_of(request, answer)
        return claim_fact(answer.object(name))

    async def get_ray_cluster(self, namespace: str, name: str) -> RayClusterFact | None:
        """Return a RayCluster as it is now; a list of one name needs no right beyond those of the watch."""
        path = granted(Kind.RAY_CLUSTER, Verb.LIST).path(namespace)
        query = [("fieldSelector", f"metadata.name={name}")]
        found = maps_of(await self._server.ask(Request("GET", path, query=query)), "items")
        return next((ray_cluster_fact(it) for it in found if metadata_of(it).get("name") == name), None)

    async def patch_status(self, key: Key, status: Manifest, *, resource_version: str | None) -> None:
        """Merge-patch the training's status; with a version, a stale writer gets `Conflict`."""
        granted(STATUS, Verb.PATCH)
        path = TRAININGS.path(key.namespace, key.name, "status")
        body: Manifest = {"status": status}
        if resource_version is not None:
            body["metadata"] = {"resourceVersion": resource_version}
        with self._freshness.writing(key, resource_version) as write:
            answer = await self._server.ask(Request("PATCH", path, body, query=[_WRITER], headers=_MERGE))
            write.answered(metadata_of(answer).get("resourceVersion"))

    async def emit(self, training: Manifest, event: Event) -> None:
        """Record an event about a training: soon, for nothing that is decided may wait for it."""
        manifest = event_manifest(training, event, now=datetime.now(UTC), unique=uuid4().hex[:16])
        try:
            self._events.put_nowait(manifest)
        except asyncio.QueueFull:
            _log.warning("dropped an event", extra={"reason": event.reason})

    async def post_events(self) -> None:
        """Send what was emitted, one at a time, for ever; a refused event is only logged."""
        resource = granted("Event", Verb.CREATE)
        while True:
            manifest = await self._events.get()
            path = resource.path(manifest["metadata"]["namespace"])
            try:
                await self._server.ask(Request("POST", path, manifest, headers=_CREATE))
            except OperatorError as error:
                _log.warning("lost an event: %s", error, extra={"reason": manifest["reason"]})
            finally:
                self._events.task_done()

    async def events_posted(self, seconds: float) -> None:
        """Wait until all that was emitted is sent, so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._events.join()

    async def list_identities(self, kind: str, namespace: str | None) -> list[Identity]:
        """Return name and uid of all objects of a kind that can be ours; no bodies are sent."""
        resource = granted(kind, Verb.LIST)
        found: list[Identity] = []
        query = [("limit", str(PAGE))]
        if resource.only_ours:
            query.append(("labelSelector", group.LABEL_TRAINING))
        following = ""
        while True:
            page: Sequence[tuple[str, str]] = [*query, ("continue", following)] if following else query
            headers = {"Accept": _NAMES_ONLY.format("List")}
            answer = await self._server.ask(
                Request("GET", resource.path(namespace), query=page, headers=headers)
            )
            found += [identity_of(it) for it in maps_of(answer, "items")]
            following = str(metadata_of(answer).get("continue") or "")
            if not following:
                return found

    async def may_list(self, kind: str, namespace: str | None) -> bool:
        """Return whether the objects of a kind may be listed in a namespace, or everywhere.

        Not asked of the namespace itself, which would need a right in the whole cluster.
        """
        headers = {"Accept": _NAMES_ONLY.format("List")}
        path = granted(kind, Verb.LIST).path(namespace)
        request = Request("GET", path, query=[("limit", "1")], headers=headers)
        answer = await self._server.send(request)
        if answer.status in (403, 404):  # 404: the kind itself has just vanished.
            return False
        if answer.status >= 300:
            raise error_of(request, answer)
        return True

    async def serves(self, resource: Resource) -> bool:
        """Return whether the API server knows a kind; asks its discovery, which everyone may."""
        request = Request("GET", f"/apis/{resource.group}/{resource.version}")
        answer = await self._server.send(request)
        if answer.status == 404:
            return False
        if answer.status == 403:
            # Not for good: an API server that has just started has not loaded everybody's rights yet.
            raise ClusterUnavailable(str(error_of(request, answer)))
        if answer.status >= 300:
            raise error_of(request, answer)
        return any(it.get("name") == resource.plural for it in maps_of(answer.json(), "resources"))


def granted(kind: str | Resource, verb: Verb) -> Resource:
    """Return the resource of a kind if the table of rights holds the verb for it.

    Raises:
        PermissionError: If it does not: add it there and to the chart's rules.yaml.
    """
    resource = kind if isinstance(kind, Resource) else RESOURCES[kind]
    if verb not in resource.verbs:
        raise PermissionError(
            f"expected {verb} on {resource.plural} to be in rrm_operator/rights.py, found "
            f"{', '.join(sorted(resource.verbs))}: add it there and to charts/rrm-operator/files/rules.yaml"
        )
    return resource


def identity_of(item: Manifest) -> Identity:
    """Return who a listed object is.

    Raises:
        ClusterUnavailable: If it does not say so: no API server has listed it.
    """
    metadata = metadata_of(item)
    parts = [it for key in ("namespace", "name", "uid") if isinstance(it := metadata.get(key), str)]
    if len(parts) < 3:
        raise ClusterUnavailable(f"expected namespace, name and uid of an object, found {str(item)[:200]}")
    return Identity(*parts)


def event_manifest(training: Manifest, event: Event, *, now: datetime, unique: str) -> Manifest:
    """Return the Kubernetes Event about a training; `unique` tells it from others of the same training."""
    metadata = training["metadata"]
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{unique}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": group.API_VERSION,
            "kind": group.KIND,
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata.get("resourceVersion", ""),
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:_EVENT_CHARS],
        "source": {"component": FIELD_MANAGER},
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }


KUBERAY: Final = Resource(RAY_GROUP, RAY_VERSION, "rayclusters", frozenset())
TRAININGS: Final = RESOURCES[group.KIND]
