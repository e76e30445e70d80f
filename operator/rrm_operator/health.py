"""The HTTP side of the process: /healthz, /readyz and /metrics. Started by the composition root.

A replica that stands by is ready when it could take over at once: a rolling update ends an old one only then,
and does not wait for ever for a new pod that waits for the lease of an old one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rrm_operator.errors import OperatorError
from rrm_operator.settings import Settings

Probe = Callable[[], bool]

_HEARTBEAT_SECONDS: Final = 60.0
_LAST_ANSWERS_SECONDS: Final = 1.0


class NotListening(OperatorError):
    """The address cannot be had, so nobody could ask whether the operator is well: it cannot start."""


class Heartbeat:
    """Tells a stuck event loop from a busy one."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_recent(self) -> bool:
        """Return whether the loop came round in the last minute."""
        return time.monotonic() - self._last < _HEARTBEAT_SECONDS

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            self._last = time.monotonic()
            await asyncio.sleep(1)


@asynccontextmanager
async def health_server(settings: Settings, *, is_alive: Probe, is_ready: Probe) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port, which matters when the settings say 0.

    Args:
        settings: Address and port.
        is_alive: Whether the process can still do its work; red = Kubernetes restarts the pod.
        is_ready: Whether the store is level with the cluster, and this one works or sees another one work.

    Raises:
        NotListening: If somebody else has the address, or this machine does not.
    """

    async def healthz(_: web.Request) -> web.Response:
        return _answer(is_alive())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(is_ready())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_LAST_ANSWERS_SECONDS)
    await runner.setup()
    try:
        await _listen(runner, settings.http_address, settings.http_port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: str, port: int) -> None:
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError as error:
        raise NotListening(
            f"expected to answer probes where RRM_HTTP_ADDRESS and RRM_HTTP_PORT say, {address}:{port}, "
            f"found: {error}; free it, or choose another one"
        ) from error


def _answer(is_fine: bool) -> web.Response:
    return web.Response(text="ok\n") if is_fine else web.Response(text="not yet\n", status=503)
