"""The API server that commands are pointed to."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.rrm.cli.api_server import ApiServer, write_kubeconfig


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let neither a proxy nor wishes about colours of whoever runs the tests change what is seen."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    colours = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE")
    for name in (*proxies, *map(str.lower, proxies), *colours):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def api(plain_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    server = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.asked.append((self.command, self.path, dict(self.headers), body))
            status, answer = server.answer(self.command, self.path)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if text[:1] == "{" else "text/plain")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.serve)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    write_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{http.server_port}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    yield server
    http.shutdown()
    http.server_close()
