"""One record, one message, one exit code, whatever happens; and the ConfigMap patch that carries it."""

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rrm.config_map import ConfigMapAccess, ConfigMapRefused, merge_keys
from rrm.errors import DataInvalid
from rrm.reporting import Ending, Job, end_with_record, record_of, report, termination_message
from rrm_api.conditions import Reason
from rrm_api.run import LOG_TAIL_CHARS, ExitCode, Record, Result, Role

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Api(ThreadingHTTPServer):
    """Keeps the patches it was sent; answers with the next of its statuses, the last one for ever."""

    def __init__(self) -> None:
        self.patches: list[tuple[str, str, str, Any]] = []
        self.statuses = [200]
        super().__init__(("127.0.0.1", 0), ApiHandler)


class ApiHandler(BaseHTTPRequestHandler):
    server: Api

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind, token = self.headers["Content-Type"], self.headers["Authorization"]
        self.server.patches.append((self.path, kind, token, body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def access(api: Api, tmp_path: Path) -> ConfigMapAccess:
    (tmp_path / "token").write_text("secret-token\n")
    url = f"http://127.0.0.1:{api.server_port}/api/v1/namespaces/ns/configmaps/judge-progress"
    return ConfigMapAccess(url, tmp_path / "token")


def record(**changes: Any) -> Record:
    fields = {"reason": Reason.DATA_INVALID, "message": "line 7", "exit_code": ExitCode.DATA} | changes
    return record_of(Job(Role.PREPARE, "0123456789abcdef"), Ending(**fields), NOW)


@pytest.mark.parametrize(
    ("code", "result"),
    [(ExitCode.DONE, Result.DONE), (ExitCode.STOPPED, Result.STOPPED), (ExitCode.DATA, Result.FAILED)],
)
def test_the_result_follows_from_the_exit_code(code: ExitCode, result: Result) -> None:
    written = record(exit_code=code)
    assert (written.result, written.exit_code, written.finished_time) == (
        result,
        code,
        "2026-01-02T03:04:05Z",
    )


def test_our_errors_end_with_their_reason_and_code(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Ending:
        raise DataInvalid(expected="a row", found="none", where="here")

    assert end_with_record(Job(Role.PREPARE), work) == 10
    assert capsys.readouterr().err == "Failed DataInvalid: here: expected a row, found none\n"


def test_a_bug_ends_with_the_roles_reason_and_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Ending:
        return Ending(Reason.EXPORTED, str(1 / 0))

    assert end_with_record(Job(Role.EXPORT), work) == 20
    assert "ExportFailed: ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_the_termination_message_is_the_whole_record_if_it_fits(tmp_path: Path) -> None:
    log = tmp_path / "termination-log"
    log.touch()
    report(record(), termination_log=log)
    assert Record.model_validate_json(log.read_bytes()) == record()


@pytest.mark.parametrize("letter", ["x", "\u00e9", '"', "\u65e5"])
def test_a_long_record_is_shortened_but_stays_a_record(letter: str) -> None:
    long = record(message="why: " + letter * 30_000, log_tail=letter * 30_000)
    message = termination_message(long)
    short = Record.model_validate_json(message)
    assert len(message) <= 4096
    assert (short.reason, short.exit_code, short.message[:5]) == (Reason.DATA_INVALID, 10, "why: ")


def test_the_end_of_a_long_log_is_kept() -> None:
    short = Record.model_validate_json(termination_message(record(log_tail="x" * 9_000 + "the end")))
    assert short.log_tail.endswith("the end")


def test_a_patch_sets_its_own_key_and_nothing_else(api: Api, access: ConfigMapAccess) -> None:
    merge_keys(access, {"prepare": "{}"})
    path, kind, token, body = api.patches[0]
    assert path == "/api/v1/namespaces/ns/configmaps/judge-progress"
    assert (kind, token) == ("application/merge-patch+json", "Bearer secret-token")
    assert body == {"data": {"prepare": "{}"}}


def test_a_busy_api_server_is_asked_again(api: Api, access: ConfigMapAccess) -> None:
    api.statuses = [503, 429, 200]
    pauses: list[float] = []
    merge_keys(access, {"prepare": "{}"}, sleep=pauses.append)
    assert (len(api.patches), pauses) == (3, [0.5, 1.0])


@pytest.mark.parametrize(("status", "tries"), [(403, 1), (404, 1), (500, 5)])
def test_a_refused_patch_is_an_error(api: Api, access: ConfigMapAccess, status: int, tries: int) -> None:
    api.statuses = [status]
    with pytest.raises(ConfigMapRefused, match=str(status)):
        merge_keys(access, {"prepare": "{}"}, sleep=lambda _: None)
    assert len(api.patches) == tries


def test_outside_kubernetes_there_is_no_config_map(tmp_path: Path) -> None:
    assert ConfigMapAccess.from_environment({}, tmp_path) is None


@pytest.mark.parametrize(("host", "shown"), [("10.0.0.1", "10.0.0.1"), ("fd00::1", "[fd00::1]")])
def test_the_pod_knows_its_config_map(host: str, shown: str, tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("team-a")
    environment = {
        "RRM_PROGRESS_CONFIG_MAP": "judge-progress",
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": "443",
    }
    access = ConfigMapAccess.from_environment(environment, tmp_path)
    assert access is not None
    assert access.url == f"https://{shown}:443/api/v1/namespaces/team-a/configmaps/judge-progress"
    assert access.ca_file == tmp_path / "ca.crt"


def test_no_secret_reaches_a_record_or_the_termination_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "s3cr3ts3cr3tv4lu")
    said = "s3cr3ts3cr3tv4lu at https://user:pass@word@proxy:3128/x"
    log = tmp_path / "termination-log"
    log.touch()
    written = record(message=said, log_tail=said)
    report(written, termination_log=log)
    assert (written.message, written.log_tail) == ("*** at https://***@proxy:3128/x",) * 2
    assert "s3cr3ts3cr3tv4lu" not in log.read_text()
    assert "pass" not in log.read_text()


def test_a_secret_at_the_cut_of_a_log_is_masked_before_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "s3cr3ts3cr3tv4lu")
    assert "r3tv4lu" not in record(log_tail="s3cr3ts3cr3tv4lu" + "x" * (LOG_TAIL_CHARS - 8)).log_tail


def test_a_bugs_traceback_is_logged_without_secrets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", "s3cr3ts3cr3tv4lu")

    def work() -> Ending:
        raise RuntimeError("refused s3cr3ts3cr3tv4lu")

    assert end_with_record(Job(Role.EXPORT), work) == 20
    assert "RuntimeError: refused ***" in caplog.text
    assert "s3cr3ts3cr3tv4lu" not in caplog.text


def test_a_missing_token_folder_is_warned_of_and_the_termination_message_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("RRM_PROGRESS_CONFIG_MAP", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.setenv(name, "1")
    assert ConfigMapAccess.from_environment(os.environ, tmp_path / "nothing") is None
    assert "nothing/namespace" in caplog.text
    log = tmp_path / "termination-log"
    log.touch()
    report(record(), termination_log=log)
    assert Record.model_validate_json(log.read_bytes()) == record()


def test_a_pod_without_the_api_servers_address_reports_nowhere(tmp_path: Path) -> None:
    assert ConfigMapAccess.from_environment({"RRM_PROGRESS_CONFIG_MAP": "x"}, tmp_path) is None


def test_a_termination_log_that_cannot_be_written_stops_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    report(record(), termination_log=tmp_path)  # a folder
    assert "termination message" in caplog.text
    assert "DataInvalid: line 7" in capsys.readouterr().err
