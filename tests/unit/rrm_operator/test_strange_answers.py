"""What stands between us and the API server may answer anything: that is one of our errors, or a value.

An error of another kind would end the process, which would meet the same answer after its restart.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException

from rrm_operator import api_server
from rrm_operator.api_server import Answer, ApiServer, Request, error_of
from rrm_operator.errors import ClusterUnavailable, Forbidden, OperatorError
from rrm_operator.facts import Key, Kind
from rrm_operator.kubernetes_cluster import KUBERAY, KubernetesCluster
from rrm_operator.lease import Lease, LeaseLost
from rrm_operator.lease_rules import Timing
from rrm_operator.patience import patiently

REQUEST = Request("GET", "/api/v1/pods")
STATUSES = st.sampled_from([200, 200, 204, 304, 400, 401, 403, 404, 409, 422, 503]) | st.integers(200, 599)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
NAMES = st.sampled_from(
    "kind metadata items resources name namespace uid status details causes reason message spec "
    "holderIdentity leaseDurationSeconds leaseTransitions renewTime resourceVersion".split()
)
JSON = st.recursive(
    LEAVES | st.sampled_from(["Lease", "Status", "List", "NamespaceTerminating", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
TEXTS = JSON.map(json.dumps) | st.text(max_size=40)
GOOD = {
    "kind": "RayClusterList",
    "metadata": {"name": "rrm", "namespace": "demo", "uid": "u", "resourceVersion": "1"},
    "spec": {"holderIdentity": "other", "leaseDurationSeconds": 10},
    "items": [{"metadata": {"name": "judge", "namespace": "demo", "uid": "u"}}],
    "resources": [{"name": "rayclusters"}],
    "details": {"causes": [{"reason": "NamespaceTerminating"}]},
}
"""Holds all that any of our questions is answered with."""


@st.composite
def nearly_good(draw: st.DrawFn) -> str:
    """Return a good answer of which one part, anywhere, is another."""
    body = json.loads(json.dumps(GOOD))
    here: Any = body
    while True:
        key = draw(st.sampled_from(list(here) if isinstance(here, dict) else list(range(len(here)))))
        if not isinstance(here[key], dict | list) or not here[key] or draw(st.booleans()):
            here[key] = draw(JSON)
            return json.dumps(body)
        here = here[key]


class Gateway:
    """Gives the same answer to every question."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        await asyncio.sleep(0)
        return self.answer

    async def ask(self, request: Request) -> Any:
        answer = await self.send(request)
        if answer.status < 300:
            return answer.json()
        raise error_of(request, answer)


def questions(gateway: Gateway) -> dict[str, Callable[[], Awaitable[Any]]]:
    cluster = KubernetesCluster(gateway)  # type: ignore[arg-type]
    return {
        "the kinds there are": lambda: cluster.serves(KUBERAY),
        "whether a list is allowed": lambda: cluster.may_list(Kind.POD, None),
        "names": lambda: asyncio.wait_for(cluster.list_identities(Kind.POD, None), 5),
        "a claim": lambda: cluster.get_claim("demo", "judge"),
        "a RayCluster": lambda: cluster.get_ray_cluster("demo", "judge-c1"),
        "a status": lambda: cluster.patch_status(Key("demo", "judge"), {}, resource_version="1"),
        "a new object": lambda: cluster.create({"kind": "Job", "metadata": {"namespace": "demo"}}),
    }


async def answered(ask: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await ask()
    except OperatorError as error:
        return error


@given(status=STATUSES, text=TEXTS | nearly_good())
@settings(max_examples=400, deadline=None)
def test_whatever_is_answered_is_a_value_or_one_of_our_errors(status: int, text: str) -> None:
    async def ask_all() -> None:
        gateway = Gateway(Answer(status, text))
        for ask in questions(gateway).values():
            if '"continue"' not in text:
                await answered(ask)
        assert isinstance(error_of(REQUEST, gateway.answer), OperatorError)

    asyncio.run(ask_all())


@pytest.mark.parametrize("question", ["the kinds there are", "names", "a claim", "a RayCluster", "a status"])
@pytest.mark.parametrize(
    "text", ["<html>Log in</html>", '{"ok": true}', "[]", '[{"metadata": {}}]', '"x"', "null", '{"items": [']
)
async def test_a_good_status_of_somebody_else_is_no_answer(question: str, text: str) -> None:
    """Taken for an answer it would mean that nothing exists: all that runs would be given up."""
    if (question, text) == ("a status", '{"ok": true}'):
        return  # What a write has made is nobody's business.
    with pytest.raises(ClusterUnavailable):
        await questions(Gateway(Answer(200, text)))[question]()


@pytest.mark.parametrize("details", ["gone", ["gone"], {"causes": "gone"}, {"causes": ["gone", None]}, 7])
def test_a_refusal_with_details_of_any_shape_is_a_refusal(details: Any) -> None:
    found = error_of(REQUEST, Answer(403, json.dumps({"message": "why", "details": details})))
    assert isinstance(found, Forbidden)
    assert not found.terminating
    assert "why" in str(found)


@pytest.mark.parametrize("status", [300, 302, 304, 400, 405, 413, 415, 451])
def test_what_is_no_answer_of_an_api_server_refuses_no_object(status: int) -> None:
    """`Refused` is said of the training until a person acts; a gateway may be well again in a minute."""
    assert type(error_of(REQUEST, Answer(status, "<html>no</html>"))) is ClusterUnavailable


# --- Over a real connection ---------------------------------------------------------------------------


@asynccontextmanager
async def gateway_of(raw: bytes) -> AsyncIterator[Configuration]:
    """Listen, and answer each connection with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client has had enough.
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        configuration = Configuration(host=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        configuration.client_session_kwargs = {"trust_env": False}
        yield configuration


def response(status: int, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), headers, body)


async def asked_of(raw: bytes) -> Any:
    async with gateway_of(raw) as configuration, ApiServer(configuration, timeout_seconds=5) as server:
        return await answered(lambda: server.ask(REQUEST))


@given(status=STATUSES, body=st.binary(max_size=60) | TEXTS.map(str.encode))
@settings(max_examples=60, deadline=None)
def test_any_bytes_with_any_status_are_a_value_or_one_of_our_errors(status: int, body: bytes) -> None:
    assert isinstance(asyncio.run(asked_of(response(status, body))), dict | OperatorError)


@given(raw=st.binary(max_size=80) | st.binary(max_size=40).map(b"HTTP/1.1 ".__add__))
@settings(max_examples=60, deadline=None)
def test_what_is_not_even_http_is_one_of_our_errors(raw: bytes) -> None:
    assert isinstance(asyncio.run(asked_of(raw)), OperatorError)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(response(200, "<p>Zugang gesperrt für Gäste</p>".encode("latin-1")), id="latin-1"),
        pytest.param(response(403, "<p>für Gäste</p>".encode("latin-1")), id="a refusal in latin-1"),
        pytest.param(response(200, b"garbage", b"Content-Encoding: gzip\r\n"), id="not compressed as said"),
        pytest.param(response(200, b"garbage", b"Content-Encoding: deflate\r\n"), id="not deflated as said"),
        pytest.param(response(200, b"{}", b"Content-Encoding: odd\r\n")[:-1], id="cut off"),
        pytest.param(response(302, b"", b"Location: nowhere://\r\n"), id="moved to nowhere"),
        pytest.param(response(302, b"", b"Location: http://[\r\n"), id="moved to no address"),
        pytest.param(response(302, b"", b"Location: /api\r\n"), id="moved for ever"),
        pytest.param(response(200, b"[" * 100_000), id="deep"),
        pytest.param(response(200, b"{}", b"X: " + b"x" * 100_000 + b"\r\n"), id="a long header"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_an_odd_answer_is_one_of_our_errors(raw: bytes) -> None:
    assert isinstance(await asked_of(raw), OperatorError)


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_server, "_LONGEST_ANSWER", 1000)
    found = await asked_of(response(200, b'{"a": "%s"}' % (b"x" * 5000)))
    assert type(found) is ClusterUnavailable
    assert "more than 1000 bytes" in str(found)


async def test_an_object_that_is_nested_without_end_is_read_but_for_its_depths() -> None:
    deep = b'{"metadata": {"managedFields": %s1%s, "name": "judge"}}' % (b'{"f:a":' * 10_000, b"}" * 10_000)
    found = await asked_of(response(200, deep))
    assert found["metadata"]["name"] == "judge"


@pytest.mark.parametrize("fault", [OSError("no such file"), ConfigException("empty"), ValueError("no text")])
async def test_credentials_that_cannot_be_read_are_waited_for(fault: Exception) -> None:
    def refresh(_: Configuration) -> None:
        raise fault

    async with gateway_of(response(200, b"{}")) as configuration:
        configuration.api_key = {"BearerToken": "old"}
        configuration.refresh_api_key_hook = refresh
        async with ApiServer(configuration, timeout_seconds=5) as server:
            with pytest.raises(ClusterUnavailable, match=str(fault)):
                await server.send(REQUEST)


# --- What may not end ---------------------------------------------------------------------------------


async def test_who_asks_patiently_outlasts_every_answer() -> None:
    gateway = Gateway(Answer(200, '{"resources": "none"}'))
    asking = asyncio.create_task(patiently(questions(gateway)["the kinds there are"]))
    await asyncio.sleep(0.05)
    assert not asking.done()
    gateway.answer = Answer(200, '{"resources": []}')
    assert await asyncio.wait_for(asking, 5) is False


@given(status=st.sampled_from([200, 201, 404, 409, 403, 500]), text=TEXTS | nearly_good())
@settings(max_examples=100, deadline=None)
def test_a_lease_is_neither_taken_nor_lost_by_an_odd_answer_in_another_way_than_by_time(
    status: int, text: str
) -> None:
    async def live() -> None:
        lease = Lease(
            Gateway(Answer(status, text)), namespace="system", name="rrm", identity="me", timing=Timing(0.02)
        )
        try:
            async with asyncio.timeout(0.03):
                await lease.acquire()
        except TimeoutError:
            pass
        with pytest.raises(LeaseLost):
            await lease.keep()
        await lease.release()

    asyncio.run(live())


@pytest.mark.parametrize(
    "text", ['{"ok": true}', '{"metadata": {}}', '{"kind": "Lease", "metadata": {"resourceVersion": ""}}']
)
async def test_a_lease_that_was_not_seen_is_not_written_over(text: str) -> None:
    """Without a version the API server would take the write: the holder of now would be robbed."""
    gateway = Gateway(Answer(200, text))
    lease = Lease(gateway, namespace="system", name="rrm", identity="me", timing=Timing(0.1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await lease.acquire()
    assert {it.method for it in gateway.asked} == {"GET"}
    assert not lease.is_held()
