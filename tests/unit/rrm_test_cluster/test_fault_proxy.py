import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from rrm_test_cluster.rig.fault_proxy import FaultProxy, fault_proxy
from rrm_test_cluster.rig.ray_stand_in import TOKEN_HEADER, RayStandIn, ray_stand_in
from rrm_test_cluster.rig.request_faults import Fault, Kind, writes

JOBS = "/ns/judge/api/jobs/"
POST = '{"submission_id": "one", "entrypoint": "true"}'


@pytest.fixture
def ray() -> Iterator[RayStandIn]:
    with ray_stand_in() as serving:
        yield serving


@pytest.fixture
def proxy(ray: RayStandIn) -> Iterator[FaultProxy]:
    with fault_proxy(f"http://127.0.0.1:{ray.port}") as serving:
        yield serving


@contextmanager
def connected(proxy: FaultProxy) -> Iterator[http.client.HTTPConnection]:
    address = urlsplit(proxy.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=0.5)
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: str = "") -> int:
    headers = {TOKEN_HEADER: "Bearer t", "Content-Type": "application/json"}
    connection.request(method, path, body=body or None, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_without_a_command_everything_passes(proxy: FaultProxy, ray: RayStandIn) -> None:
    with connected(proxy) as one:
        assert ask(one, "POST", JOBS, POST) == 200
        assert ask(one, "GET", JOBS + "one") == 200
        assert ask(one, "GET", JOBS + "two") == 404
    assert ray.ids("ns/judge") == ["one"]
    assert [it.status for it in proxy.requests.passed()] == [200, 200, 404]


def test_a_frozen_connection_stays_and_says_nothing(proxy: FaultProxy) -> None:
    with connected(proxy) as old, connected(proxy) as new:
        assert ask(old, "GET", JOBS + "one") == 404
        proxy.freeze(new=False)
        with pytest.raises(TimeoutError):
            ask(old, "GET", JOBS + "one")
        assert ask(new, "GET", JOBS + "one") == 404
    proxy.freeze()
    with connected(proxy) as later, pytest.raises(TimeoutError):
        ask(later, "GET", JOBS + "one")
    proxy.thaw()
    with connected(proxy) as last:
        assert ask(last, "GET", JOBS + "one") == 404


def test_a_reset_reaches_the_client_as_one(proxy: FaultProxy) -> None:
    with connected(proxy) as one:
        assert ask(one, "GET", JOBS + "one") == 404
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            ask(one, "GET", JOBS + "one")
    proxy.refuse()
    with connected(proxy) as two, pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(two, "GET", JOBS + "one")
    proxy.refuse(on=False)
    with connected(proxy) as three:
        assert ask(three, "GET", JOBS + "one") == 404


def test_a_lost_answer_is_that_of_a_request_that_arrived(proxy: FaultProxy, ray: RayStandIn) -> None:
    proxy.requests.add(Fault(Kind.LOSE, writes, times=1))
    with connected(proxy) as one, pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(one, "POST", JOBS, POST)
    assert ray.ids("ns/judge") == ["one"]
    with connected(proxy) as two:
        assert ask(two, "POST", JOBS, POST) == 500


def test_answers_are_given_in_the_server_s_place(proxy: FaultProxy, ray: RayStandIn) -> None:
    fault = proxy.requests.add(Fault(Kind.ANSWER, writes, times=2, status=429))
    with connected(proxy) as one:
        assert [ask(one, "POST", JOBS, POST) for _ in range(3)] == [429, 429, 200]
        assert ask(one, "GET", JOBS + "one") == 200
    assert (fault.hits, ray.posts) == (2, 1)


def test_requests_that_are_held_go_on_when_the_fault_is_taken_back(proxy: FaultProxy) -> None:
    proxy.requests.add(Fault(Kind.HOLD, writes))
    with connected(proxy) as one:
        assert ask(one, "GET", JOBS + "one") == 404
        with pytest.raises(TimeoutError):
            ask(one, "POST", JOBS, POST)
    proxy.requests.clear()
    proxy.requests.add(Fault(Kind.DELAY, writes, seconds=0.2))
    started = time.monotonic()
    with connected(proxy) as two:
        # The first may have gone when its client gave up, or come late.
        assert ask(two, "POST", JOBS, POST) in (200, 500)
    assert time.monotonic() - started >= 0.2
