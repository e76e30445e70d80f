"""One raw conversation with the API server: paths and dictionaries in and out, its answers as our errors.

Uses the asyncio client of the `kubernetes` distribution, but only its connection part: the typed models would
cost some 100 MB of memory.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from rrm_operator import metrics
from rrm_operator.errors import ClusterUnavailable, Conflict, Forbidden, OperatorError, Refused
from rrm_operator.facts import Manifest

USER_AGENT: Final = "rrm-operator"
_LOOK_AGAIN: Final = (404, 409)
_TRY_LATER: Final = (401, 408, 425, 429)
_MESSAGE_CHARS: Final = 1024


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    path: str
    body: Manifest | None = None
    query: Sequence[tuple[str, str]] = ()
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """One answer, of whatever status."""

    status: int
    text: str

    def json(self) -> Manifest:
        """Return the body; an answer without one is empty.

        Raises:
            ClusterUnavailable: If it is no JSON object: something between us and the API server answered.
        """
        try:
            found = orjson.loads(self.text) if self.text else {}
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise ClusterUnavailable(
                f"expected JSON from the API server, found HTTP {self.status} {self.text[:200]!r}"
            )
        return found


async def load_configuration() -> Configuration:
    """Return address and credentials: the pod's, unless `KUBECONFIG` or the lack of a pod says kubeconfig."""
    configuration = Configuration()
    # Proxies are a matter of the kubeconfig, not of the environment, as with kopf. The client's own buffers,
    # 2 MiB for each connection, are made for watches.
    configuration.client_session_kwargs = {"trust_env": False, "read_bufsize": 2**16}
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ
    if in_pod:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        kubeconfig = os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config"))
        loading = load_kube_config(config_file=kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        await loading
    return configuration


class _PlainClient(ApiClient):
    """The client, which need not look for what JSON does not know: our bodies are plain."""

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Return it as it is; looking through a RayCluster takes longer than sending it."""
        return obj


class ApiServer:
    """The connection; an asynchronous context manager that closes it."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        timeout_seconds: float,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make a connection; it is opened by the first request.

        Args:
            configuration: Address and credentials.
            timeout_seconds: Longest wait for one answer.
            may_write: Asked before each write; a process that was frozen may find that it is too late.
        """
        self._may_write = may_write
        # Any: the client is only partly annotated.
        self._client: Any = _PlainClient(configuration)
        self._client.user_agent = USER_AGENT
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    async def __aenter__(self) -> "ApiServer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def send(self, request: Request) -> Answer:
        """Send a request and return the answer, whatever its status.

        Raises:
            ClusterUnavailable: If there was no answer in time, or writing is another operator's business now.
        """
        if request.method != "GET" and not self._may_write():
            raise ClusterUnavailable(f"{request.method} {request.path}: not sent, since the lease ran out")
        prepared = await self._client.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query) or None,
            header_params={"Accept": "application/json", **request.headers},
            body=request.body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._client.call_api(*prepared, _request_timeout=self._timeout)
            text = (await response.read()).decode()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            metrics.API_REQUESTS.labels(request.method, "none").inc()
            raise ClusterUnavailable(
                f"expected an answer of the API server to {request.method} {request.path}, "
                f"found {type(error).__name__}: {error}; it is tried again"
            ) from error
        metrics.API_REQUESTS.labels(request.method, str(response.status)).inc()
        return Answer(response.status, text)

    async def ask(self, request: Request) -> Manifest:
        """Send a request and return the body of a good answer.

        Raises:
            OperatorError: The one whose boundary the answer names.
        """
        answer = await self.send(request)
        if answer.status < 300:
            return answer.json()
        raise error_of(request, answer)


def error_of(request: Request, answer: Answer) -> OperatorError:
    """Return the error that a bad answer means."""
    status = _status_of(answer)
    message = (
        f"{request.method} {request.path}: HTTP {answer.status}: "
        f"{str(status.get('message') or answer.text)[:_MESSAGE_CHARS]}"
    )
    if answer.status in _LOOK_AGAIN:
        return Conflict(message)
    if answer.status == 403:
        causes: list[dict[str, Any]] = (status.get("details") or {}).get("causes") or []
        gone = any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
        return Forbidden(message, terminating=gone)
    if answer.status >= 500 or answer.status in _TRY_LATER:
        return ClusterUnavailable(message)
    return Refused(message)


def _status_of(answer: Answer) -> Manifest:
    try:
        return answer.json()
    except ClusterUnavailable:
        return {}
