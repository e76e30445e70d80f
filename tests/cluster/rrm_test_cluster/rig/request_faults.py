"""Passes HTTP requests on, or does to them what busy servers and lost answers do."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import aiohttp
from aiohttp import web

from rrm_test_cluster.rig.byte_faults import abort

_HOLD_POLL_SECONDS: Final = 0.05
_OF_ONE_HOP: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive"})

Match = Callable[[str, str], bool]
"""Says by method, and by path with query, whether a request is meant."""


def any_request(method: str, path: str) -> bool:
    """Match every request."""
    return True


def watches(method: str, path: str) -> bool:
    """Match requests that watch."""
    return "watch=" in path


def writes(method: str, path: str) -> bool:
    """Match requests that change something."""
    return method in ("POST", "PUT", "PATCH", "DELETE")


class Kind(StrEnum):
    """What may happen to a request."""

    ANSWER = "answer"
    """It is answered with a status and never reaches the server."""
    DELAY = "delay"
    """It reaches the server later."""
    HOLD = "hold"
    """Neither it nor more of its answer comes through while the fault stands; its connection stays."""
    LOSE = "lose"
    """The server gets it and acts; instead of the answer comes a reset of the connection."""


@dataclass
class Fault:
    """What happens to some requests.

    Attributes:
        kind: What.
        match: Which requests are meant.
        share: Share of these that is hit.
        times: How many at most; None = all.
        status: HTTP status of an answer.
        seconds: Length of a delay.
        hits: How many were hit.
    """

    kind: Kind
    match: Match = any_request
    share: float = 1.0
    times: int | None = None
    status: int = 429
    seconds: float = 0.0
    hits: int = 0


@dataclass(frozen=True)
class Passed:
    """One request that came; `at` is monotonic, `status` is 0 where the answer was lost."""

    at: float
    method: str
    path: str
    status: int


class RequestFaults:
    """Requests to one server."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._faults: list[Fault] = []
        self._passed: list[Passed] = []
        self._chance = random.Random(20261127)

    def add(self, fault: Fault) -> Fault:
        """Let something happen to requests from now on; the newest fault comes last."""
        self._faults = [*self._faults, fault]
        return fault

    def clear(self) -> None:
        """Take every fault back."""
        self._faults = []

    def passed(self, match: Match = any_request, *, since: float = 0.0) -> list[Passed]:
        """Return the requests that have begun to be answered since a monotonic time."""
        return [it for it in tuple(self._passed) if it.at >= since and match(it.method, it.path)]

    async def answer(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        """Answer one request."""
        for fault in self._hitting(request):
            match fault.kind:
                case Kind.DELAY:
                    await asyncio.sleep(fault.seconds)
                case Kind.HOLD:
                    await self._held(request)
                case Kind.ANSWER:
                    self._note(request, fault.status)
                    return _refusal(fault.status)
                case Kind.LOSE:
                    return await self._lose(request, session)
        return await self._pass(request, session)

    def _hitting(self, request: web.Request) -> list[Fault]:
        found = []
        for fault in self._faults:
            is_left = fault.times is None or fault.hits < fault.times
            if is_left and fault.match(request.method, request.path_qs):
                if self._chance.random() < fault.share:
                    fault.hits += 1
                    found.append(fault)
        return found

    async def _held(self, request: web.Request) -> None:
        def is_meant(fault: Fault) -> bool:
            return fault.kind is Kind.HOLD and fault.match(request.method, request.path_qs)

        while any(map(is_meant, self._faults)):
            await asyncio.sleep(_HOLD_POLL_SECONDS)

    async def _lose(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        async with await self._forward(request, session) as upstream:
            await upstream.read()
        self._note(request, 0)
        abort(request.transport)
        return web.Response(status=500)

    async def _pass(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        async with await self._forward(request, session) as upstream:
            answer = web.StreamResponse(status=upstream.status)
            for name, value in upstream.headers.items():
                if name.lower() not in _OF_ONE_HOP:
                    answer.headers.add(name, value)
            self._note(request, upstream.status)
            await answer.prepare(request)
            async for chunk in upstream.content.iter_any():
                await self._held(request)
                await answer.write(chunk)
            await answer.write_eof()
        return answer

    async def _forward(self, request: web.Request, session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        headers = {name: it for name, it in request.headers.items() if name.lower() not in _OF_ONE_HOP}
        body = await request.read()
        address = self._upstream + request.raw_path
        return await session.request(request.method, address, data=body or None, headers=headers)

    def _note(self, request: web.Request, status: int) -> None:
        self._passed.append(Passed(time.monotonic(), request.method, request.path_qs, status))


def _refusal(status: int) -> web.Response:
    """Return an answer as the API server gives it."""
    text = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": "a fault"}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.Response(
        status=status, text=json.dumps(text), content_type="application/json", headers=headers
    )
