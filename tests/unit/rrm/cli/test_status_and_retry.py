"""`rrm status` and `rrm retry` against an API server that speaks HTTP and remembers what it was sent."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from rrm.cli import COMMANDS, main
from rrm_api.status import TrainingStatus

ROOT = Path(__file__).parents[4]
API = "/apis/training.rrm.dev/v1alpha1"
TOKEN = "very-secret-token"
RETRY = "training.rrm.dev/retry"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let neither a proxy nor wishes about colours of whoever runs the tests change what is seen."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    colours = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE")
    for name in (*proxies, *map(str.lower, proxies), *colours):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def training(name: str, stage: str, *, namespace: str = "team-a", **status: Any) -> Any:
    meters = {"held": 7200, "training": 5400, "time": "2026-03-01T11:00:00Z"}
    told = TrainingStatus.model_validate(
        {"stage": stage, "observedGeneration": 1, "gpuSeconds": meters, **status}
    )
    metadata = {"name": name, "namespace": namespace, "generation": 1, "uid": "u", "labels": {"a": "b"}}
    return {"kind": "RewardModelTraining", "metadata": metadata, "spec": {}, "status": told.manifest()}


FAILED_ATTEMPT = {
    "number": 1,
    "cluster": "c",
    "startTime": "2026-03-01T09:00:00Z",
    "endTime": "2026-03-01T10:00:00Z",
    "reason": "TrainerCrashed",
}


@dataclass
class ApiServer:
    """What the stand-in holds, what it was asked, and what it answers if it answers otherwise."""

    trainings: list[Any] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    answers: tuple[int, str] | None = None

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        if self.answers is not None:
            return self.answers
        words = urlsplit(path).path.removeprefix(API).strip("/").split("/")
        match words:
            case ["rewardmodeltrainings"]:
                return 200, {"items": self.trainings}
            case ["namespaces", namespace, "rewardmodeltrainings"]:
                return 200, {
                    "items": [it for it in self.trainings if it["metadata"]["namespace"] == namespace]
                }
            case ["namespaces", namespace, "rewardmodeltrainings", name]:
                wanted = {"name": name, "namespace": namespace}
                found = [it for it in self.trainings if wanted.items() <= it["metadata"].items()]
                message = f'rewardmodeltrainings.training.rrm.dev "{name}" not found'
                return (200, found[0]) if found else (404, {"message": message, "details": {"name": name}})
        return 404, "404 page not found\n"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
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


def write_kubeconfig(path: Path, server: str) -> None:
    contexts = [("lab", "team-a"), ("other", "team-b")]
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": "u", "namespace": namespace}}
            for name, namespace in contexts
        ],
        "current-context": "lab",
    }
    path.write_text(yaml.safe_dump(document))


def test_a_training_is_told_in_plain_lines_in_a_pipe(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [training("judge", "Failed", attempts=[FAILED_ATTEMPT])]
    assert main(["status", "judge"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("judge in namespace team-a\n  stage  Failed\n")
    assert "  wasted    0.50, 25 % of what was held\n" in out
    assert "\x1b" not in out


def test_at_a_terminal_it_has_colours_and_nothing_is_cut(
    api: ApiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    stalled = {
        "type": "Stalled",
        "status": "True",
        "reason": "RestartsExhausted",
        "message": "a long story " * 10 + "[/bold] THE END",
        "lastTransitionTime": "2026-03-01T11:00:00Z",
    }
    api.trainings = [training("judge", "Failed", conditions=[stalled], attempts=[FAILED_ATTEMPT])]
    assert main(["status", "judge"]) == 0
    out = capsys.readouterr().out
    assert "\x1b[1;33m" in out
    assert all(word in out for word in ("To look at", "[/bold]", "END", "Attempts", "wasted"))
    assert "1        2026-03-01 09:00 UTC  2026-03-01 10:00 UTC  TrainerCrashed" in out
    assert "…" not in out
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["judge", "Failed", "-", "-", "-", "-", "2.00", "1.50", "0.50", "25", "%"]


def test_all_trainings_of_the_contexts_namespace_are_told_with_their_sum(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [
        training("b-judge", "Failed"),
        training("a-judge", "Suspended"),
        training("elsewhere", "Training", namespace="team-b"),
    ]
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line][:3] == ["name", "a-judge", "b-judge"]
    assert lines[3].split() == ["sum", "of", "2", "4.00", "3.00", "1.00", "25", "%"]
    assert "elsewhere" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["-n", "team-b"], ["elsewhere"]),
        (["--context", "other"], ["elsewhere"]),
        (["--context", "other", "-n", "team-a"], ["judge"]),
        (["-A"], ["judge", "elsewhere"]),
    ],
    ids=" ".join,
)
def test_namespace_and_context_choose_as_with_kubectl(
    api: ApiServer, arguments: list[str], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [
        training("elsewhere", "Training", namespace="team-b"),
        training("judge", "Failed"),
    ]
    assert main(["status", "-o", "json", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [it["name"] for it in document["trainings"]] == names
    assert document["gpuHours"]["held"] == 2 * len(names)


def test_a_namespace_without_trainings_says_so(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert capsys.readouterr().out == "there are no trainings in namespace team-a\n"
    assert main(["status", "-A"]) == 0
    assert capsys.readouterr().out == "there are no trainings in any namespace\n"
    assert main(["status", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["trainings"] == []


def test_all_namespaces_and_a_name_are_refused_before_anything_is_asked(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "judge", "-A"]) == 11
    assert main(["status", "-n", "team-a", "-A"]) == 11
    assert capsys.readouterr().err.count("--all-namespaces goes with neither") == 2
    assert api.asked == []


def test_a_retry_sets_a_fresh_annotation_with_a_merge_patch_of_its_own_manager(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [
        training("judge", "BackingOff", attempt=1, attempts=[FAILED_ATTEMPT], checkpoints={"latestStep": 6})
    ]
    assert main(["retry", "judge"]) == 0
    assert main(["retry", "judge"]) == 0
    patches = [it for it in api.asked if it[0] == "PATCH"]
    (_, path, headers, first), (*_, second) = patches
    assert urlsplit(path).path == f"{API}/namespaces/team-a/rewardmodeltrainings/judge"
    assert parse_qs(urlsplit(path).query) == {"fieldManager": ["rrm"]}
    assert headers["Content-Type"] == "application/merge-patch+json"
    values = [json.loads(it)["metadata"].pop("annotations") for it in (first, second)]
    assert [list(it) for it in values] == [[RETRY], [RETRY]]
    assert values[0] != values[1]
    assert json.loads(first).keys() == {"metadata"}
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"judge in namespace team-a is tried again ({RETRY}: {values[0][RETRY]})"
    assert out[1].startswith("attempt 2 begins at once instead of later, from step 6")


@pytest.mark.parametrize("stage", ["Succeeded", "Training"])
def test_nothing_to_retry_writes_nothing(
    api: ApiServer, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [training("judge", stage)]
    assert main(["retry", "judge"]) == 11
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"judge {'has succeeded' if stage == 'Succeeded' else 'is Training'}" in shown.err
    assert [it[0] for it in api.asked] == ["GET"]


@pytest.mark.parametrize("command", ["status", "retry"])
def test_a_training_that_is_not_there_ends_with_11(
    api: ApiServer, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "nobody"]) == 11
    assert capsys.readouterr().err == 'rewardmodeltrainings.training.rrm.dev "nobody" not found\n'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, '{"message": "user u cannot get resource"}'), "refuses (403): user u cannot get resource"),
        ((401, '{"message": "Unauthorized"}'), "refuses (401): Unauthorized"),
        ((503, "try later"), "refuses (503): no reason is given"),
        ((404, "404 page not found\n"), "does not know rewardmodeltrainings.training.rrm.dev: is the"),
        ((200, "<html>hello"), "expected the answer of an API server, found other text"),
    ],
    ids=["forbidden", "unauthorized", "unavailable", "no CRD", "somebody else"],
)
def test_a_cluster_that_refuses_ends_with_20_and_its_own_words(
    api: ApiServer, answer: tuple[int, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answers = answer
    for arguments in (["status", "judge"], ["status"], ["status", "-A"], ["retry", "judge"]):
        assert main(arguments) == 20
        err = capsys.readouterr().err
        assert words in err
        assert TOKEN not in err
    assert api.asked[0][2]["authorization"] == f"Bearer {TOKEN}"


def test_a_cluster_that_does_not_answer_ends_with_20(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kubeconfig(tmp_path / "config", "http://user:very-secret-token@127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert main(["status"]) == 20
    err = capsys.readouterr().err
    assert "the API server 127.0.0.1:1 does not answer: " in err
    assert "Connection refused" in err
    assert TOKEN not in err


def test_without_any_cluster_it_ends_with_20(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["status"]) == 20
    assert capsys.readouterr().err.startswith("no cluster is configured: expected a kubeconfig")


def test_in_a_pod_without_a_token_it_says_whose_credentials_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    # In a pod there is one.
    monkeypatch.setattr(
        "kubernetes.config.incluster_config.SERVICE_TOKEN_FILENAME", str(tmp_path / "no-token")
    )
    assert main(["status"]) == 20
    assert "the credentials of the pod's service account cannot be used" in capsys.readouterr().err


def test_a_context_that_is_not_there_ends_with_11(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--context", "prod"]) == 11
    assert "there is no context prod" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["users"][0].update(user={"exec": {"args": [TOKEN]}, "token": None}),
        lambda it: it["users"].append({"name": "u2", "secret": TOKEN}),
        lambda it: it["clusters"][0].update(cluster=None, note=TOKEN),
        lambda it: it["users"][0].pop("user"),
    ],
    ids=["exec without a command", "a user without credentials", "no server", "no user"],
)
def test_credentials_that_cannot_be_used_are_never_shown(
    api: ApiServer,
    change: Callable[[Any], object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = yaml.safe_load((tmp_path / "config").read_text())
    document["users"][0]["password"] = TOKEN
    change(document)
    document["contexts"][0]["context"]["user"] = document["users"][-1]["name"]
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    code = main(["status"])
    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err
    assert code in (0, 20)


@pytest.mark.parametrize("command", ["status", "retry"])
def test_without_the_client_it_says_what_to_install(
    api: ApiServer, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    assert main([command, "judge"]) == 11
    command = "pip install ./crds '.[kubernetes]'"
    assert f"in a checkout: {command}\n" in capsys.readouterr().err
    assert f"`{command}`" in (ROOT / "docs/guides/operations.md").read_text(encoding="utf-8")


def test_no_command_loads_the_client_before_it_asks_a_cluster() -> None:
    modules = sorted(it.target.partition(":")[0] for it in COMMANDS.values())
    load = f"import sys, importlib; [importlib.import_module(it) for it in {modules!r}]"
    show = f"{load}; print('kubernetes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
