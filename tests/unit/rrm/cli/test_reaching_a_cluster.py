"""Commands that ask a cluster: which one, with whose credentials, and what is said where none answers."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.cli import COMMANDS, main
from tests.unit.rrm.cli.api_server import TOKEN, ApiServer, write_kubeconfig

pytestmark = pytest.mark.usefixtures("plain_environment")


ROOT = Path(__file__).parents[4]


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
        ((200, f'{{"spec": {"[" * 5000}{"]" * 5000}}}'), "is nested too deep to be read"),
    ],
    ids=["forbidden", "unauthorized", "unavailable", "no CRD", "somebody else", "too deep"],
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
