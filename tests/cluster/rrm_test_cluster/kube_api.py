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
    ) -> Manifest:
        """Send one request and return the answer.

        Raises:
            Refused: The answer was an error.
        """
        headers = {"Content-Type": content_type}
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, self.server + path, data=data, headers=headers) as answer:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise Refused(answer.status, (await answer.text())[:500])
            found: Manifest = await answer.json()
            return found

    async def follow(self, path: str, query: str = "") -> AsyncIterator[Change]:
        """List a collection and then watch it for ever; lists again whenever the watch breaks."""
        while True:
            try:
                listing = await self.request("GET", f"{path}?{query}")
                for body in listing["items"]:
                    yield Change("ADDED", body)
                async for change in self._watch(path, query, listing["metadata"]["resourceVersion"]):
                    yield change
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                _LOGGER.warning("watch of %s broke, listing again: %s", path, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _watch(self, path: str, query: str, version: str) -> AsyncIterator[Change]:
        url = f"{self.server}{path}?{query}&watch=1&timeoutSeconds={_WATCH_SECONDS}&resourceVersion={version}"
        async with self.session.get(url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
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
