"""A small asynchronous client of the API server: list-and-watch and single writes, JSON in and out.

Used by the cluster's own stand-ins (fake nodes, provisioner, DNS), which must keep up with hundreds of
pods on two cores; nothing is turned into typed models.
"""

import asyncio
import base64
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import yaml

Manifest = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_NAMES_ONLY = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
_WATCH_SECONDS = 240
_RETRY_SECONDS = 0.5
_LOGGER = logging.getLogger(__name__)


class Refused(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Change:
    """One thing a watch saw; after a new listing everything there is reported as added."""

    kind: str
    """``ADDED``, ``MODIFIED`` or ``DELETED``."""
    body: Manifest


@dataclass(frozen=True)
class KubeApi:
    """Talks to one API server."""

    session: aiohttp.ClientSession
    server: str

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Send one request and return the answer.

        Raises:
            Refused: The answer was an error.
        """
        headers = {"Content-Type": content_type, **(headers or {})}
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, self.server + path, data=data, headers=headers) as answer:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise Refused(answer.status, (await answer.text())[:500])
            found: Manifest = await answer.json()
            return found

    async def follow(self, path: str, query: str = "", *, names_only: bool = False) -> AsyncIterator[Change]:
        """List a collection and then watch it for ever; lists again whenever the watch breaks.

        Args:
            path: Of the collection.
            query: Selectors, as in a URL.
            names_only: Whether metadata is enough: then nothing else is sent.
        """
        many, one = ({"Accept": _NAMES_ONLY.format(it)} if names_only else {} for it in ("List", ""))
        while True:
            try:
                listing = await self.request("GET", f"{path}?{query}", headers=many)
                # Of metadata alone an empty list is null.
                for body in listing["items"] or []:
                    yield Change("ADDED", body)
                url = f"{path}?{query}&resourceVersion={listing['metadata']['resourceVersion']}"
                async for change in self._watch(url, one):
                    yield change
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                _LOGGER.warning("watch of %s broke, listing again: %s", path, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _watch(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[Change]:
        url = f"{self.server}{path}&watch=1&timeoutSeconds={_WATCH_SECONDS}"
        for_ever = aiohttp.ClientTimeout(total=None)
        async with self.session.get(url, timeout=for_ever, headers=headers) as answer:
            async for line in _lines(answer.content):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise Refused(event["object"].get("code", 0), event["object"].get("message", ""))
                yield Change(event["type"], event["object"])


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    # The reader's own line iterator refuses lines above its buffer; an object may have more than a megabyte.
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


@asynccontextmanager
async def connect(kubeconfig: Path, *, connections: int = 50) -> AsyncIterator[KubeApi]:
    """Open a client as the user of a kubeconfig with embedded certificates."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(
            base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"])
        )
        pair.flush()
        tls.load_cert_chain(pair.name)
    connector = aiohttp.TCPConnector(ssl=tls, limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield KubeApi(session, cluster["server"])
