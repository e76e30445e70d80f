"""Progress into the ConfigMap and the stop annotation out of it; a small HTTP server plays the API."""

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rrm.config_map import ConfigMapAccess
from rrm.train import config_map_watcher
from rrm.train.config_map_watcher import ConfigMapWatcher, NobodyWatches, watcher_from
from rrm_api.group import ANNOTATION_STOP_ATTEMPT
from rrm_api.run import Phase, Progress


class Api(HTTPServer):
    """Holds one ConfigMap."""

    annotations: dict[str, str] | None = None
    patches: list[dict[str, str]]
    refuses = False
    reads = 0


class Handler(BaseHTTPRequestHandler):
    server: Api

    def _answer(self, code: int, document: object) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer secret"
        self.server.reads += 1
        self._answer(
            403 if self.server.refuses else 200, {"metadata": {"annotations": self.server.annotations}}
        )

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refuses:
            self.server.patches.append(body["data"])
        self._answer(403 if self.server.refuses else 200, {})

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api(("127.0.0.1", 0), Handler)
    server.patches = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(api: Api, clock: Clock, tmp_path: Path) -> ConfigMapWatcher:
    token = tmp_path / "token"
    token.write_text("secret\n")
    access = ConfigMapAccess(f"http://127.0.0.1:{api.server_port}/configmap", token)
    return ConfigMapWatcher(access, 2, clock=clock)


def at(step: int) -> Progress:
    return Progress(attempt=2, phase=Phase.ROLLOUT, step=step, total_steps=24, time="2026-01-01T00:00:00Z")


def steps_of(api: Api) -> list[int]:
    return [json.loads(patch["progress"])["step"] for patch in api.patches]


def test_progress_comes_at_most_every_few_seconds_and_the_last_one_always(
    watcher: ConfigMapWatcher, api: Api, clock: Clock
) -> None:
    for step in (1, 2, 3):
        watcher.on_progress(at(step))
        clock.now += 1
    watcher.is_stop_asked()
    assert steps_of(api) == [1, 3]


def test_progress_that_was_refused_is_tried_again_later(
    watcher: ConfigMapWatcher, api: Api, clock: Clock
) -> None:
    api.refuses = True
    watcher.on_progress(at(1))
    api.refuses = False
    clock.now += 10
    watcher.is_stop_asked()
    assert steps_of(api) == [1]


@pytest.mark.parametrize(
    ("annotations", "asked"),
    [
        pytest.param(None, False, id="no annotations"),
        pytest.param({ANNOTATION_STOP_ATTEMPT: "1"}, False, id="an earlier attempt is meant"),
        pytest.param({ANNOTATION_STOP_ATTEMPT: "2"}, True, id="this attempt is meant"),
    ],
)
def test_the_annotation_stops_the_attempt_it_names(
    watcher: ConfigMapWatcher, api: Api, annotations: dict[str, str] | None, asked: bool
) -> None:
    api.annotations = annotations
    assert watcher.is_stop_asked() is asked


def test_the_annotation_is_looked_for_every_few_seconds_only(
    watcher: ConfigMapWatcher, api: Api, clock: Clock
) -> None:
    for _ in range(5):
        watcher.is_stop_asked()
        clock.now += 1
    assert api.reads == 1


def test_an_api_server_that_refuses_has_asked_nothing(watcher: ConfigMapWatcher, api: Api) -> None:
    api.refuses = True
    assert watcher.is_stop_asked() is False


@pytest.mark.parametrize(
    "fault",
    [OSError("away"), http.client.IncompleteRead(b""), ValueError("no JSON"), KeyError("metadata")],
    ids=lambda fault: type(fault).__name__,
)
def test_an_api_server_that_answers_nonsense_has_asked_nothing_and_is_told_of_once(
    watcher: ConfigMapWatcher,
    clock: Clock,
    fault: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: object) -> None:
        raise fault

    monkeypatch.setattr(config_map_watcher, "read_annotations", fail)
    for _ in range(3):
        assert watcher.is_stop_asked() is False
        clock.now += 10
    assert len(caplog.records) == 1


def test_an_answer_that_breaks_off_does_not_end_the_run(
    watcher: ConfigMapWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise http.client.IncompleteRead(b"")

    monkeypatch.setattr("rrm.config_map._patch", fail)
    watcher.on_progress(at(1))


def test_outside_kubernetes_nobody_watches() -> None:
    assert isinstance(watcher_from({}, 1), NobodyWatches)
