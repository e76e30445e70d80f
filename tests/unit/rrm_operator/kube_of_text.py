"""An API server that knows trainings alone, as text, and whom kopf watches."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from rrm_api import group
from rrm_operator.facts import Manifest
from rrm_operator.scope import Scope
from rrm_operator.settings import Settings
from rrm_operator.watching import Watching

PLURAL = f"/apis/{group.GROUP}/{group.VERSION}/{group.PLURAL}"


def written(name: str, template: str) -> str:
    """Return the text of a training."""
    metadata = {"name": name, "namespace": "demo", "uid": name, "resourceVersion": "1"}
    kind = {"apiVersion": group.API_VERSION, "kind": group.KIND, "metadata": metadata}
    return json.dumps(kind)[:-1] + f', "spec": {{"workers": {{"podTemplate": {template}}}}}}}'


class Kube:
    """An API server that tells of trainings, as text: when they are listed, or when they are watched."""

    def __init__(self, *, listed: list[str], watched: list[str]) -> None:
        self.listed, self.watched = listed, watched
        self.pages: list[int] = []
        """How many trainings it has told of in each answer to a list."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path != PLURAL:
            return web.json_response(self._discovery(request.path))
        if "watch" not in request.query:
            return self._page(int(request.query.get("limit", 0)), int(request.query.get("continue", 0)))
        response = web.StreamResponse()
        await response.prepare(request)
        for one in self.watched:
            await response.write(f'{{"type": "ADDED", "object": {one}}}\n'.encode())
        await asyncio.sleep(60)
        return response

    def _page(self, limit: int, begin: int) -> web.Response:
        page = self.listed[begin : begin + limit] if limit else self.listed
        self.pages.append(len(page))
        rest = begin + len(page) < len(self.listed)
        metadata = {"resourceVersion": "1", "continue": str(begin + len(page)) if rest else ""}
        head = f'{{"kind": "List", "metadata": {json.dumps(metadata)}, "items": ['
        return web.Response(text=head + ",".join(page) + "]}", content_type="application/json")

    def _discovery(self, path: str) -> Manifest:
        version = {"groupVersion": group.API_VERSION, "version": group.VERSION}
        groups = [{"name": group.GROUP, "versions": [version], "preferredVersion": version}]
        common = {"singularName": "", "verbs": ["list", "watch"]}
        namespaces = {**common, "name": "namespaces", "kind": "Namespace", "namespaced": False}
        trainings = {**common, "name": group.PLURAL, "kind": group.KIND, "namespaced": True}
        return {
            "/api": {"versions": ["v1"]},
            "/api/v1": {"resources": [namespaces]},
            "/apis": {"groups": groups},
            f"/apis/{group.API_VERSION}": {"resources": [trainings]},
        }[path]


@asynccontextmanager
async def served(kube: Kube) -> AsyncIterator[Configuration]:
    app = web.Application()
    app.router.add_get("/{path:.*}", kube.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


async def told(kube: Kube, number: int) -> dict[str, Manifest]:
    """Return what kopf tells of so many trainings, by name."""
    found: dict[str, Manifest] = {}

    def feed(kind: str, manifest: Manifest, deleted: bool) -> None:
        found[manifest["metadata"]["name"]] = manifest

    async with served(kube) as configuration:
        watching = Watching(configuration, Settings(default_image="i"), feed)
        watching.start(Scope(frozenset({group.KIND})))
        try:
            async with asyncio.timeout(20):
                while len(found) < number:
                    await asyncio.sleep(0.01)
        finally:
            await watching.stop(5)
    return found
