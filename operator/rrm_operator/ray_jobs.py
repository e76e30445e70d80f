"""The real `ports.RayJobs`: Ray's job API over HTTP, reached in one of several ways.

A submission is sent exactly once: the same attempt has the same id, and Ray refuses an id that it knows.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp

from rrm_operator import metrics
from rrm_operator.api_server import ApiServer, Request
from rrm_operator.errors import ClusterUnavailable, RayUnavailable
from rrm_operator.facts import RayJobFact, RayJobState
from rrm_operator.nesting import read_json
from rrm_operator.ports import Clock, RayEndpoint, Stop, Submission
from rrm_operator.settings import RayReach, Settings

DASHBOARD_PORT: Final = 8265
TOKEN_HEADER: Final = "X-Ray-Authorization"
"""Not `Authorization`, which the API server's proxy keeps for itself."""
_EXISTS: Final = "already exists"
_TEXT_CHARS: Final = 300
_BODY_BYTES: Final = 2**20
"""What is read of an answer; the longest of Ray's own has 20,000 characters of a log."""


@dataclass(frozen=True)
class RayAnswer:
    """An answer of the job API, of whatever status."""

    status: int
    text: str

    def excerpt(self) -> str:
        """Return the end of the text: Ray answers with tracebacks, whose last line says what is wrong."""
        return self.text.strip()[-_TEXT_CHARS:]


class RayTransport(Protocol):
    """A way to the job API of any RayCluster."""

    async def send(
        self, endpoint: RayEndpoint, method: str, path: str, body: dict[str, Any] | None = None
    ) -> RayAnswer:
        """Send a request; raise `RayUnavailable` if nothing answers."""


def base_url(endpoint: RayEndpoint, settings: Settings) -> str:
    """Return where a job API listens.

    Raises:
        RayUnavailable: If the head pod's address is needed and not known yet.
    """
    names = {
        "namespace": endpoint.namespace,
        "cluster": endpoint.cluster,
        "service": endpoint.head_service,
    }
    if settings.ray_url is not None:
        return settings.ray_url.format(**names).rstrip("/")
    if settings.ray_reach is RayReach.POD_IP:
        if endpoint.head_pod_ip is None:
            raise RayUnavailable(f"the head pod of RayCluster {endpoint.cluster} has no address yet")
        return f"http://{endpoint.head_pod_ip}:{DASHBOARD_PORT}"
    host = f"{endpoint.head_service}.{endpoint.namespace}.svc.{settings.cluster_domain}"
    return f"http://{host}:{DASHBOARD_PORT}"


def _token_header(endpoint: RayEndpoint) -> dict[str, str]:
    if endpoint.token is None:
        raise RayUnavailable(
            f"RayCluster {endpoint.cluster} was made with a key that is no longer in the keys folder: put it "
            "back until the training has ended, or suspend the training and resume it for a RayCluster with "
            "the current key"
        )
    return {TOKEN_HEADER: f"Bearer {endpoint.token}"}


async def _text_of(response: aiohttp.ClientResponse) -> str:
    """Return the start of a body, which need be no text and have no end: a head runs other people's code."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if len(body) >= _BODY_BYTES:
            break
    return body.decode(errors="replace")


class DirectTransport:
    """Straight to the head: by the service's name, the pod's address or a configured address.

    A redirect is not followed: it would take the operator, and the token, to where user code wants them.
    """

    def __init__(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=settings.ray_timeout_seconds)

    async def send(
        self, endpoint: RayEndpoint, method: str, path: str, body: dict[str, Any] | None = None
    ) -> RayAnswer:
        """Send a request; raise `RayUnavailable` if nothing answers."""
        url = base_url(endpoint, self._settings) + path
        try:
            async with self._session.request(
                method,
                url,
                json=body,
                headers=_token_header(endpoint),
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                text = await _text_of(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            metrics.RAY_REQUESTS.labels(method, "none").inc()
            raise RayUnavailable(
                f"no answer to {method} {url} within {self._timeout.total} s: {type(error).__name__} {error}"
            ) from error
        metrics.RAY_REQUESTS.labels(method, str(response.status)).inc()
        return RayAnswer(response.status, text)


class ProxyTransport:
    """Through the API server's service proxy, from outside the cluster."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    async def send(
        self, endpoint: RayEndpoint, method: str, path: str, body: dict[str, Any] | None = None
    ) -> RayAnswer:
        """Send a request; raise `RayUnavailable` if nothing answers."""
        service = f"{endpoint.head_service}:dashboard"
        root = f"/api/v1/namespaces/{endpoint.namespace}/services/{service}/proxy"
        try:
            answer = await self._server.send(
                Request(method, root + path, body, headers=_token_header(endpoint))
            )
        except ClusterUnavailable as error:
            raise RayUnavailable(str(error)) from error
        metrics.RAY_REQUESTS.labels(method, str(answer.status)).inc()
        return RayAnswer(answer.status, answer.text)


class HttpRayJobs:
    """`ports.RayJobs` over a transport."""

    def __init__(self, transport: RayTransport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    async def submit(self, submission: Submission) -> None:
        """Submit once: an id that exists already counts as submitted."""
        try:
            await self._post(submission)
        except RayUnavailable:
            # The answer was lost, perhaps not the job: ask before sending again.
            fact = await self.look(submission.endpoint, submission.submission_id)
            if fact.state is RayJobState.ABSENT:
                await self._post(submission)

    async def look(self, endpoint: RayEndpoint, submission_id: str) -> RayJobFact:
        """Return the state of a submission; `ABSENT` for an unknown id."""
        answer = await self._transport.send(endpoint, "GET", f"/api/jobs/{submission_id}")
        now = self._clock.now()
        if answer.status == 404:
            return RayJobFact(submission_id, RayJobState.ABSENT, "", now)
        if answer.status != 200:
            raise RayUnavailable(f"GET of job {submission_id}: HTTP {answer.status}: {answer.excerpt()}")
        return job_fact(submission_id, answer, now)

    async def stop(self, stop: Stop) -> None:
        """Let Ray stop a job; one that has ended, or is unknown, counts as stopped."""
        path = f"/api/jobs/{stop.submission_id}/stop"
        answer = await self._transport.send(stop.endpoint, "POST", path)
        if answer.status >= 300 and answer.status != 404:
            raise RayUnavailable(
                f"POST of the stop of job {stop.submission_id}: HTTP {answer.status}: {answer.excerpt()}"
            )

    async def _post(self, submission: Submission) -> None:
        body = {
            "submission_id": submission.submission_id,
            "entrypoint": submission.entrypoint,
            "metadata": dict(submission.metadata),
        }
        answer = await self._transport.send(submission.endpoint, "POST", "/api/jobs/", body)
        # Ray answers 500 with a traceback to an id that it knows.
        if answer.status >= 300 and _EXISTS not in answer.text:
            raise RayUnavailable(
                f"POST of job {submission.submission_id}: HTTP {answer.status}: {answer.excerpt()}"
            )


def job_fact(submission_id: str, answer: RayAnswer, now: float) -> RayJobFact:
    """Return what an answer says about a job.

    Raises:
        RayUnavailable: If it is not the job API that answered.
    """
    try:
        found = read_json(answer.text)
        state = RayJobState(found["status"])
    except (ValueError, KeyError, TypeError) as error:
        raise RayUnavailable(
            f"expected the state of job {submission_id}, found {answer.excerpt()!r}"
        ) from error
    words, code = found.get("message"), found.get("driver_exit_code")
    return RayJobFact(
        submission_id,
        state,
        words if isinstance(words, str) else "",
        now,
        exit_code=code if isinstance(code, int) else None,
    )
