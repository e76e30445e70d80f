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
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config
from yaml import YAMLError

from rrm_operator import metrics
from rrm_operator.errors import ClusterUnavailable, Conflict, Forbidden, OperatorError, Refused
from rrm_operator.facts import Manifest
from rrm_operator.manifests import map_at, maps_at, metadata_of
from rrm_operator.nesting import read_json

USER_AGENT: Final = "rrm-operator"
_LOOK_AGAIN: Final = (404, 409)
_TRY_LATER: Final = (401, 408, 425, 429)
_MESSAGE_CHARS: Final = 1024
_EXCERPT_CHARS: Final = 200
_LONGEST_ANSWER: Final = 2**26
"""Bytes; a page of 500 names with all that the API server notes beside them has a few MiB."""
_NO_ANSWER: Final = (aiohttp.ClientError, TimeoutError, OSError)
_NO_CREDENTIALS: Final = (ConfigException, ValueError)
"""A token that is empty, is no text, or cannot stand in a header: the kubelet may be about to renew it."""

_UNUSABLE: Final = (ConfigException, YAMLError, AttributeError, OSError, TypeError, ValueError)
"""What the client raises for a file that is absent, is no YAML, or holds something else."""


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
            found = read_json(self.text) if self.text else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self.is_no("JSON")
        return found

    def object(self, name: str) -> Manifest:
        """Return the body, which must be the object of that name.

        Raises:
            ClusterUnavailable: If it is not.
        """
        found = self.json()
        if metadata_of(found).get("name") != name:
            raise self.is_no(f"the object {name}")
        return found

    def is_no(self, expected: str) -> ClusterUnavailable:
        """Return the error that this is not what an API server would have answered."""
        excerpt = self.text[:_EXCERPT_CHARS]
        return ClusterUnavailable(
            f"expected {expected} from the API server, found HTTP {self.status} {excerpt!r}"
        )


class NoApiServer(OperatorError):
    """Nothing usable says where the API server is and who we are: the operator cannot start."""


async def load_configuration() -> Configuration:
    """Return address and credentials: the pod's, unless `KUBECONFIG` or the lack of a pod says kubeconfig.

    Raises:
        NoApiServer: If they are not there, or cannot be used.
    """
    configuration = Configuration()
    # Proxies are a matter of the kubeconfig, not of the environment, as with kopf. The client's own buffers,
    # 2 MiB for each connection, are made for watches.
    configuration.client_session_kwargs = {"trust_env": False, "read_bufsize": 2**16}
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ
    place = "the pod's service account"
    try:
        if in_pod:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            kubeconfig = os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config"))
            place = f"{kubeconfig} (KUBECONFIG)"
            loading = load_kube_config(config_file=kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
            await loading
    except _UNUSABLE as error:
        raise NoApiServer(
            f"expected address and credentials of the API server in {place}, "
            f"found {type(error).__name__}: {error}"
        ) from error
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
        try:
            response = await self._client.call_api(
                *await self._prepared(request), _request_timeout=self._timeout
            )
            text = await _text_of(response.response)
        except (*_NO_ANSWER, *_NO_CREDENTIALS) as error:
            metrics.API_REQUESTS.labels(request.method, "none").inc()
            raise ClusterUnavailable(
                f"expected an answer of the API server to {request.method} {request.path}, "
                f"found {type(error).__name__}: {error}; it is tried again"
            ) from error
        metrics.API_REQUESTS.labels(request.method, str(response.status)).inc()
        return Answer(response.status, text)

    async def _prepared(self, request: Request) -> tuple[Any, ...]:
        prepared: tuple[Any, ...] = await self._client.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query) or None,
            header_params={"Accept": "application/json", **request.headers},
            body=request.body,
            auth_settings=["BearerToken"],
        )
        return prepared

    async def ask(self, request: Request) -> Manifest:
        """Send a request and return the body of a good answer.

        Raises:
            OperatorError: The one whose boundary the answer names.
        """
        answer = await self.send(request)
        if answer.status < 300:
            return answer.json()
        raise error_of(request, answer)


async def _text_of(response: aiohttp.ClientResponse) -> str:
    """Return a body, which need be no text: as much of it as can be read."""
    body = bytearray()
    async with response:
        async for chunk in response.content.iter_chunked(2**16):
            body += chunk
            if len(body) > _LONGEST_ANSWER:
                raise aiohttp.ClientPayloadError(f"more than {_LONGEST_ANSWER} bytes")
    return body.decode(errors="replace")


def error_of(request: Request, answer: Answer) -> OperatorError:
    """Return the error that a bad answer means.

    What does not speak as an API server does, such as a gateway's page, has refused no object.
    """
    status = _status_of(answer)
    said = status.get("message")
    words = str(said or answer.text)[:_MESSAGE_CHARS]
    message = f"{request.method} {request.path}: HTTP {answer.status}: {words}"
    if answer.status in _LOOK_AGAIN:
        return Conflict(message)
    if answer.status == 403:
        causes = maps_at(map_at(status, "details"), "causes")
        gone = any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
        return Forbidden(message, terminating=gone)
    if status.get("kind") == "Status" and 400 <= answer.status < 500 and answer.status not in _TRY_LATER:
        return Refused(message)
    return ClusterUnavailable(message)


def _status_of(answer: Answer) -> Manifest:
    try:
        return answer.json()
    except ClusterUnavailable:
        return {}


def maps_of(answer: Manifest, key: str) -> list[Manifest]:
    """Return the list of maps that an answer must hold under a key; null is an empty one.

    Raises:
        ClusterUnavailable: If it holds none. Taken for an empty one it would mean that nothing exists.
    """
    found = answer.get(key, ...)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(it, dict) for it in found):
        raise ClusterUnavailable(
            f"expected a list of {key} from the API server, found {str(answer)[:_EXCERPT_CHARS]}"
        )
    return found
