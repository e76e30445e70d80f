"""A Ray job API that answers as Ray does, for RayClusters whose pods run nothing.

One server stands in for the heads of all RayClusters: the operator's setting `rayUrl` puts namespace and
RayCluster into the path.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

TOKEN_HEADER: Final = "X-Ray-Authorization"
_TRACEBACK: Final = (
    "Traceback (most recent call last):\nValueError: Job with submission_id {} already exists."
)


@dataclass(frozen=True)
class Submitted:
    """One accepted POST."""

    cluster: str
    """`namespace/name` of the RayCluster."""
    submission_id: str
    entrypoint: str


@dataclass
class RayStandIn:
    """What was asked, and what is answered.

    Attributes:
        submitted: Every job that was accepted, in order.
        posts: Number of POSTs, refused ones too.
        loses_answers: The next so many POSTs are accepted, and their answers lost.
        is_down: Answers nothing but 503.
    """

    port: int = 0
    submitted: list[Submitted] = field(default_factory=list)
    posts: int = 0
    loses_answers: int = 0
    is_down: bool = False
    _states: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """For the operator's setting `rayUrl`."""
        return f"http://127.0.0.1:{self.port}/{{namespace}}/{{cluster}}"

    def set_state(self, submission_id: str, state: str, **more: Any) -> None:
        """Let a job be in a state from now on, such as `FAILED` with `driver_exit_code=1`."""
        self._states[submission_id].update(status=state, **more)

    def ids(self, cluster: str) -> list[str]:
        """Return the submissions that the head of a RayCluster, `namespace/name`, has accepted."""
        return [it.submission_id for it in self.submitted if it.cluster == cluster]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if self.is_down:
            return web.Response(status=503)
        if not request.headers.get(TOKEN_HEADER, "").startswith("Bearer "):
            return web.Response(status=401, text="Unauthorized: Missing authentication token")
        if request.method == "POST" and "id" not in request.match_info:
            return await self._submit(request)
        job = self._states.get(request.match_info["id"])
        if job is None:
            return web.Response(status=404, text=f"Job {request.match_info['id']} does not exist")
        if request.method == "POST":
            job["status"] = "STOPPED"
            return web.json_response({"stopped": True})
        return web.json_response(job)

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        self.posts += 1
        body = await request.json()
        id_ = body["submission_id"]
        if id_ in self._states:
            return web.Response(status=500, text=_TRACEBACK.format(id_))
        cluster = f"{request.match_info['namespace']}/{request.match_info['cluster']}"
        self.submitted.append(Submitted(cluster, id_, body["entrypoint"]))
        self._states[id_] = {"status": "RUNNING", "submission_id": id_, "message": "", "type": "SUBMISSION"}
        if self.loses_answers > 0:
            self.loses_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"submission_id": id_})


@contextmanager
def ray_stand_in() -> Iterator[RayStandIn]:
    """Serve from a thread until the block ends."""
    ray, loop = RayStandIn(), asyncio.new_event_loop()
    started = threading.Event()
    runners: list[web.AppRunner] = []

    async def serve() -> None:
        application = web.Application()
        base = "/{namespace}/{cluster}/api/jobs/"
        for path in (base, base + "{id}", base + "{id}/stop"):
            application.router.add_route("*", path, ray.answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ray.port = runner.addresses[0][1]
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(timeout=10)
    try:
        yield ray
    finally:
        for runner in runners:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
