"""Group b: the submitter, the dashboard, and a network that blinks."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import Kind, RayJobState
from rrm_operator.ports import RayEndpoint, Submission
from rrm_operator.ray_jobs import DirectTransport, HttpRayJobs, RayAnswer
from rrm_operator.settings import Settings
from tests.complaints import lives

ENDPOINT = RayEndpoint("demo", "judge-c1", "judge-c1-head-svc", "10.0.0.7", token="secret")
JOB = Submission(ENDPOINT, "1234abcd-a1", "python -m rrm.train")
RUNNING = (200, json.dumps({"status": "RUNNING", "message": ""}))


class Noon:
    def now(self) -> float:
        return 43_200.0


@dataclass
class Ray:
    """A job API that answers in order; None = the answer was lost on its way back."""

    answers: list[tuple[int, str] | None]
    asked: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    async def send(
        self, endpoint: RayEndpoint, method: str, path: str, body: dict[str, Any] | None = None
    ) -> RayAnswer:
        self.asked.append(f"{method} {path}")
        self.sent.append(body)
        answer = self.answers.pop(0)
        if answer is None:
            raise RayUnavailable("timed out")
        return RayAnswer(*answer)


async def silent_for(operator: Any, seconds: int) -> str:
    """Let Ray and the trainer say nothing for so long."""
    operator.world.ray_answers = False
    return await lives.pass_time(operator, seconds)


@pytest.mark.parametrize("seconds", [10, 299, 600])
async def test_kuberay_2317_a_network_blip_ends_no_good_job(operator: Any, seconds: int) -> None:
    """A blip, or a submitter that is moved, marks a good job Failed; its id kills the next try."""
    world = await lives.live_until_training(operator)
    assert await silent_for(operator, seconds) == "Training"
    world.ray_answers = True
    world.train_reports(4)
    assert await operator.settle() == "Training"
    assert lives.submitted(world) == ["0a1b2c3d-a1"]
    assert lives.ends(world) == [None]


async def test_kuberay_2317_after_300_s_a_second_witness_decides(operator: Any) -> None:
    """The opposite fault: a head that is really gone must not count as a blip for ever."""
    world = await lives.live_until_training(operator)
    world.set_cluster(head=False, workers=1, reason="ContainersNotReady")
    assert await silent_for(operator, 290) == "Training"
    assert await silent_for(operator, 60) != "Training"
    assert lives.ends(world) == ["ClusterLost"]


@pytest.mark.parametrize("answer", [(500, "log file is gone"), (503, ""), (200, "<html>"), None])
async def test_kuberay_2788_an_answer_that_fails_says_nothing_about_the_job(answer: Any) -> None:
    """A short failure to read the logs fails the job."""
    with pytest.raises(RayUnavailable):
        await HttpRayJobs(Ray([answer]), Noon()).look(ENDPOINT, JOB.submission_id)


async def test_kuberay_4921_no_connection_is_followed(operator: Any) -> None:
    """The submitter follows the job's log; when that connection is cut the job counts as failed."""
    ray = Ray([(200, "{}"), RUNNING, (200, "{}")])
    jobs = HttpRayJobs(ray, Noon())
    await jobs.submit(JOB)
    await jobs.look(ENDPOINT, JOB.submission_id)
    assert ray.asked == ["POST /api/jobs/", "GET /api/jobs/1234abcd-a1"]
    world = await lives.live_until_training(operator)
    assert [name for name in world.named(Kind.JOB) if "prepare" not in name] == []


async def test_ray_43068_no_request_is_longer_than_its_limit() -> None:
    """One HTTP call lives as long as a job of days."""

    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    application = web.Application()
    application.router.add_get("/api/jobs/{id}", never)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        settings = Settings(default_image="i", ray_url=str(server.make_url("")), ray_timeout_seconds=0.1)
        with pytest.raises(RayUnavailable, match=r"within 0\.1 s"):
            await HttpRayJobs(DirectTransport(session, settings), Noon()).look(ENDPOINT, "x")


async def test_kuberay_4760_a_head_that_is_not_ready_costs_no_attempt(operator: Any) -> None:
    """The submitter starts before the head answers, burns its back-off limit, and the run is Failed."""
    world = await lives.live_until_provisioning(operator)
    world.ray_answers = False
    world.cluster_becomes_ready()
    for _ in range(20):
        with contextlib.suppress(RayUnavailable):
            await operator.look()
        world.seconds += 30
    assert [it["number"] for it in world.status["attempts"]] == [1]
    world.ray_answers = True
    await operator.settle()
    assert lives.submitted(world) == ["0a1b2c3d-a1"]
    assert lives.ends(world) == [None]


async def test_kuberay_2376_no_restart_means_one_submission(operator: Any) -> None:
    """Hidden retries of the submission cannot be turned off: a job that must run once runs again."""
    operator.world.edit(lambda spec: spec.update(policy={"maxRestarts": 0}))
    world = await lives.live_until_training(operator)
    lives.crash(world)
    assert await lives.ended(operator) == "Failed"
    assert await lives.pass_time(operator, 7 * 86_400) == "Failed"
    assert lives.submitted(world) == ["0a1b2c3d-a1"]


@pytest.mark.parametrize("state", [RayJobState.SUCCEEDED, RayJobState.STOPPED, RayJobState.FAILED])
async def test_kuberay_3211_an_exit_of_zero_alone_is_no_success(operator: Any, state: RayJobState) -> None:
    """A second submitter pod ends with 0 although the job failed, and RayJob is Complete."""
    world = await lives.live_until_training(operator)
    world.jobs["0a1b2c3d-a1"] = state
    await lives.pass_time(operator, 240)
    assert world.status["stage"] != "Training"
    assert world.condition("Succeeded")["status"] != "True"
    assert lives.ends(world)[0] not in (None, "Succeeded")


async def test_kuberay_1000_a_lost_answer_is_asked_about_and_not_sent_again() -> None:
    """The client gives up after 2 s while the head has accepted: the job is sent twice."""
    ray = Ray([None, RUNNING])
    await HttpRayJobs(ray, Noon()).submit(JOB)
    assert ray.asked == ["POST /api/jobs/", "GET /api/jobs/1234abcd-a1"]
    again = Ray([(500, "ValueError: Job with submission_id 1234abcd-a1 already exists.")])
    await HttpRayJobs(again, Noon()).submit(JOB)
    assert again.asked == ["POST /api/jobs/"]


async def test_kuberay_4916_a_deadline_really_stops_the_job(operator: Any) -> None:
    """The deadline changes a status: the Ray job runs on, in HTTP mode with nobody left to stop it."""
    operator.world.edit(lambda spec: spec.update(policy={"activeDeadlineSeconds": 3600}))
    world = await lives.live_until_training(operator)
    for step in range(4, 10):
        await lives.pass_time(operator, 601)
        world.train_reports(step)
    assert world.status["stage"] == "Stopping"
    assert world.stop_asked() == "1"
    await lives.pass_time(operator, 601)
    assert world.stops == ["0a1b2c3d-a1"]
    await lives.pass_time(operator, 30)
    assert await lives.ended(operator) == "Failed"
    assert world.condition("Stalled")["reason"] == "DeadlineExceeded"
    assert world.named(Kind.RAY_CLUSTER) == []


async def test_kuberay_2701_the_last_lines_are_in_the_status(operator: Any) -> None:
    """Without the submitter pod there is no log at all."""
    world = await lives.live_until_training(operator)
    lives.crash(world, exit_code=11, says="step 3\nHydraException: unknown key")
    assert await lives.ended(operator) == "Failed"
    assert world.status["failure"]["logTail"].endswith("HydraException: unknown key")


async def test_ray_35685_an_error_before_the_first_line_is_in_the_message(operator: Any) -> None:
    """Why the runtime environment could not be made is nowhere in the job's message."""
    world = await lives.live_until_starting(operator)
    world.jobs["0a1b2c3d-a1"] = RayJobState.FAILED
    await lives.pass_time(operator, 180)
    assert "Ray's words" in lives.attempt_of(world, 1)["message"]
