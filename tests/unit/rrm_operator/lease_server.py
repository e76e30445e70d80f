"""An API server with one Lease, and who wants it."""

import asyncio
import copy
import json
from dataclasses import dataclass, field
from typing import Any

from rrm_operator.api_server import Answer, Request
from rrm_operator.errors import ClusterUnavailable
from rrm_operator.lease import Lease
from rrm_operator.lease_rules import Timing

QUICK = Timing(0.5)


@dataclass
class LeaseServer:
    """An API server that holds one Lease, refuses stale versions and can be away."""

    lease: dict[str, Any] | None = None
    is_away: bool = False
    loses_answers: int = 0
    writes: int = 0
    holders: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        if self.is_away:
            raise ClusterUnavailable("no answer")
        answer = self._answer(request)
        if self.loses_answers and request.method != "GET":
            self.loses_answers -= 1
            raise ClusterUnavailable("the answer was lost")
        return answer

    def _answer(self, request: Request) -> Answer:
        if request.method == "GET":
            return Answer(200, json.dumps(self.lease)) if self.lease else Answer(404, "{}")
        body = copy.deepcopy(request.body)
        assert body is not None
        if request.method == "POST" and self.lease is not None:
            return Answer(409, "{}")
        if request.method == "PUT":
            if self.lease is None:
                return Answer(404, "{}")
            if self.lease["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
                return Answer(409, "{}")
        self.writes += 1
        body["metadata"]["resourceVersion"] = str(self.writes)
        self.lease = body
        if [holder := body["spec"]["holderIdentity"]] != self.holders[-1:]:
            self.holders.append(holder)
        return Answer(200, json.dumps(body))


def candidate(server: LeaseServer, identity: str, timing: Timing = QUICK) -> Lease:
    return Lease(server, namespace="system", name="rrm", identity=identity, timing=timing)
