"""A proxy that stands between a client and a server, and does on command what networks and busy servers do.

client -> bytes: freeze, refuse, reset -> requests: answer, delay, hold, lose -> server

What a test commands holds until it takes it back; without a command everything passes as it is.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiohttp
import yaml
from aiohttp import web

from rrm_test_cluster.pki import KeyPair
from rrm_test_cluster.rig.byte_faults import ByteFaults
from rrm_test_cluster.rig.request_faults import RequestFaults

_LONGEST_BODY_BYTES: Final = 2**25
_PATIENCE_SECONDS: Final = 10


class FaultProxy:
    """A running proxy; made by `fault_proxy`, commanded from any thread.

    Attributes:
        url: Where clients find it.
        requests: Faults of requests, and what was asked.
    """

    def __init__(
        self, upstream: str, *, shown: ssl.SSLContext | None, trusted: ssl.SSLContext | None
    ) -> None:
        self.url = ""
        self.requests = RequestFaults(upstream)
        self._shown, self._trusted = shown, trusted
        self._bytes = ByteFaults(0)
        self._loop = asyncio.new_event_loop()
        self._started, self._ending = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def freeze(self, *, new: bool = True) -> None:
        """Let no byte through on the connections that exist; with `new` later ones are as mute."""
        self._command(lambda: self._bytes.freeze(new=new))

    def thaw(self) -> None:
        """Let all bytes through again, also those that were kept."""
        self._command(self._bytes.thaw)

    def reset(self) -> int:
        """Reset every connection; return how many there were."""
        count = len(self._bytes)
        self._command(self._bytes.reset)
        return count

    def refuse(self, *, on: bool = True) -> None:
        """Reset every connection, and each new one at once, until it is taken back."""
        self._command(lambda: self._bytes.refuse(on=on))

    def _command(self, act: Callable[[], None]) -> None:
        async def run() -> None:
            act()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=_PATIENCE_SECONDS)

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()
        assert self._started.wait(timeout=_PATIENCE_SECONDS), "the proxy did not start"

    def stop(self) -> None:
        """Reset every connection and end."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        # Connections that are frozen would wait for ever.
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _serve(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._trusted or True, limit=0)
        never = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(
            connector=connector, timeout=never, auto_decompress=False
        ) as session:
            runner = web.AppRunner(
                self._application(session), access_log=None, shutdown_timeout=0.1, handler_cancellation=True
            )
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._shown).start()
            self._bytes = ByteFaults(runner.addresses[0][1])
            server = await asyncio.start_server(self._bytes.accept, "127.0.0.1", 0)
            scheme = "http" if self._shown is None else "https"
            self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._started.set()
            await self._ending.wait()
            server.close()
            self._bytes.reset()
            await runner.cleanup()

    def _application(self, session: aiohttp.ClientSession) -> web.Application:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self.requests.answer(request, session)

        application = web.Application(client_max_size=_LONGEST_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", answer)
        return application


@contextmanager
def fault_proxy(
    upstream: str, *, shown: KeyPair | None = None, authority: Path | None = None
) -> Iterator[FaultProxy]:
    """Serve from a thread until the block ends.

    Args:
        upstream: URL of the server.
        shown: Of an `https` server: the certificate that the proxy shows to clients.
        authority: Of an `https` server: whose signature its own certificate has.
    """
    accepting = None
    if shown is not None:
        accepting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        accepting.load_cert_chain(shown.certificate, shown.key)
    trusted = ssl.create_default_context(cafile=str(authority)) if authority is not None else None
    proxy = FaultProxy(upstream, shown=accepting, trusted=trusted)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def point_to(kubeconfig: Path, url: str) -> None:
    """Let a kubeconfig name another address of the same cluster."""
    config = yaml.safe_load(kubeconfig.read_text())
    for entry in config["clusters"]:
        entry["cluster"]["server"] = url
    kubeconfig.write_text(yaml.safe_dump(config))
