import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import RayJobFact, RayJobState
from rrm_operator.ports import RayEndpoint, Submission
from rrm_operator.ray_jobs import TOKEN_HEADER, DirectTransport, HttpRayJobs, RayAnswer, base_url
from rrm_operator.settings import RayReach, Settings

ENDPOINT = RayEndpoint("demo", "judge-c1", "judge-c1-head-svc", "10.0.0.7", token="secret")
SUBMISSION = Submission(ENDPOINT, "1234abcd-a1", "python -m rrm.train", metadata=(("attempt", "1"),))
LOST = object()


class At:
    def now(self) -> float:
        return 1000.0


@dataclass
class ScriptedRay:
    """Answers in order; `LOST` = the job API did what was asked and its answer got lost."""

    answers: list[Any]
    asked: list[str] = field(default_factory=list)

    async def send(
        self, endpoint: RayEndpoint, method: str, path: str, body: dict[str, Any] | None = None
    ) -> RayAnswer:
        self.asked.append(f"{method} {path}")
        answer = self.answers.pop(0)
        if answer is LOST:
            raise RayUnavailable("timed out")
        return RayAnswer(*answer)


GET, POST = "GET /api/jobs/1234abcd-a1", "POST /api/jobs/"
RUNNING = (200, json.dumps({"status": "RUNNING", "message": "is running"}))


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        pytest.param([(200, "{}")], [POST], id="an accepted job is sent once"),
        pytest.param([LOST, RUNNING], [POST, GET], id="a lost answer is asked about and not sent again"),
        pytest.param([LOST, (404, ""), (200, "{}")], [POST, GET, POST], id="a lost job is sent again"),
        pytest.param(
            [(500, "Traceback\nValueError: Job with submission_id X already exists")],
            [POST],
            id="an id that exists counts as submitted",
        ),
        pytest.param(
            [(500, "no memory"), (404, ""), (200, "")], [POST, GET, POST], id="a refusal is retried"
        ),
    ],
)
async def test_a_submission_arrives_exactly_once(answers: list[Any], asked: list[str]) -> None:
    ray = ScriptedRay(answers)
    await HttpRayJobs(ray, At()).submit(SUBMISSION)
    assert ray.asked == asked
    assert ray.answers == []


async def test_a_head_that_cannot_be_reached_at_all_says_nothing_about_the_job() -> None:
    with pytest.raises(RayUnavailable, match="timed out"):
        await HttpRayJobs(ScriptedRay([LOST, LOST]), At()).submit(SUBMISSION)


async def test_an_unknown_job_is_absent_not_failed() -> None:
    fact = await HttpRayJobs(ScriptedRay([(404, "unknown")]), At()).look(ENDPOINT, "1234abcd-a1")
    assert (fact.state, fact.seen_at) == (RayJobState.ABSENT, 1000.0)


async def test_a_failed_job_tells_its_message_and_exit_code() -> None:
    body = json.dumps({"status": "FAILED", "message": "exit code 12", "driver_exit_code": 12})
    fact = await HttpRayJobs(ScriptedRay([(200, body)]), At()).look(ENDPOINT, "1234abcd-a1")
    assert (fact.state, fact.message, fact.exit_code) == (RayJobState.FAILED, "exit code 12", 12)


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>"), (200, "[]"), (200, '{"status": "ODD"}'), (401, "Unauthorized"), (503, "")],
    ids=["a web page", "no object", "an unknown state", "a refused token", "a broken gateway"],
)
async def test_an_answer_that_is_not_the_job_apis_is_no_state(answer: tuple[int, str]) -> None:
    with pytest.raises(RayUnavailable):
        await HttpRayJobs(ScriptedRay([answer]), At()).look(ENDPOINT, "1234abcd-a1")


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        pytest.param({}, "http://judge-c1-head-svc.demo.svc.cluster.local:8265", id="service"),
        pytest.param({"ray_reach": RayReach.POD_IP}, "http://10.0.0.7:8265", id="pod IP"),
        pytest.param(
            {"ray_url": "http://gate/{namespace}/{cluster}/"}, "http://gate/demo/judge-c1", id="url"
        ),
    ],
)
def test_the_job_api_is_reached_as_the_settings_say(changes: dict[str, Any], url: str) -> None:
    assert base_url(ENDPOINT, Settings(default_image="i", **changes)) == url


async def test_the_body_and_the_token_reach_a_real_server() -> None:
    got: list[tuple[str | None, Any]] = []

    async def jobs(request: web.Request) -> web.Response:
        got.append((request.headers.get(TOKEN_HEADER), await request.json()))
        return web.json_response({"submission_id": "1234abcd-a1"})

    application = web.Application()
    application.router.add_post("/api/jobs/", jobs)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        settings = Settings(default_image="i", ray_url=str(server.make_url("")))
        await HttpRayJobs(DirectTransport(session, settings), At()).submit(SUBMISSION)
    assert got[0][0] == "Bearer secret"
    assert got[0][1]["submission_id"] == "1234abcd-a1"
    assert got[0][1]["metadata"] == {"attempt": "1"}


async def test_a_closed_port_is_unreachable() -> None:
    async with aiohttp.ClientSession() as session:
        settings = Settings(default_image="i", ray_url="http://127.0.0.1:1")
        with pytest.raises(RayUnavailable, match=r"GET http://127\.0\.0\.1:1/api/jobs/x"):
            await HttpRayJobs(DirectTransport(session, settings), At()).look(ENDPOINT, "x")


async def looked(jobs: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> RayJobFact:
    """Ask a head that runs somebody's code for a job."""
    application = web.Application()
    application.router.add_get("/api/jobs/x", jobs)
    application.router.add_get("/elsewhere", elsewhere)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        settings = Settings(default_image="i", ray_url=str(server.make_url("")))
        return await HttpRayJobs(DirectTransport(session, settings), At()).look(ENDPOINT, "x")


async def elsewhere(_: web.Request) -> web.Response:
    return web.json_response({"status": "RUNNING", "message": "what only the operator reaches"})


async def test_a_head_cannot_send_the_operator_and_its_token_elsewhere() -> None:
    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    with pytest.raises(RayUnavailable, match="HTTP 307"):
        await looked(redirect)


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b" " * 2**20)
        await response.write(b'{"status": "RUNNING"}')
        return response

    with pytest.raises(RayUnavailable, match="expected the state"):
        await looked(flood)


async def test_an_answer_that_is_no_text_is_no_state() -> None:
    async def binary(_: web.Request) -> web.Response:
        return web.Response(body=b"\xff\xfe\xfd", content_type="text/plain", charset="utf-8")

    with pytest.raises(RayUnavailable, match="expected the state"):
        await looked(binary)
