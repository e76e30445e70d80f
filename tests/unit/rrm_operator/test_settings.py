"""Settings that would break every training are refused at the start."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import rrm_operator.__main__ as main
from rrm_operator.api_server import NoApiServer, load_configuration
from rrm_operator.settings import Settings


def test_a_default_pod_template_that_cannot_be_merged_is_refused_with_its_path() -> None:
    with pytest.raises(ValidationError, match=r"defaultPodTemplate\.spec\.containers is a mapping"):
        Settings(default_image="x", default_pod_template={"spec": {"containers": {"name": "trainer"}}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("RRM_WATCHED_NAMESPACES", "team-a,team-b", id="no JSON"),
        pytest.param("RRM_RAY_URL", "http://gate/{tenant}", id="an unknown place"),
        pytest.param("RRM_RAY_URL", "http://gate/{namespace.of}", id="a part of a place"),
        pytest.param("RRM_WORKERS", "0", id="out of range"),
    ],
)
def test_settings_that_cannot_be_read_end_the_operator_with_their_words(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RRM_DEFAULT_IMAGE", "i")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == main.CONFIGURATION_ERROR
    assert name.removeprefix("RRM_").lower() in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="absent"),
        pytest.param("", id="empty"),
        pytest.param("{{{", id="no YAML"),
        pytest.param("- a", id="a list"),
        pytest.param("a: 1", id="something else"),
        pytest.param(
            "current-context: x\ncontexts: [{name: x, context: 5}]\nclusters: []\nusers: []",
            id="a context that is none",
        ),
        pytest.param("current-context: x\ncontexts: []\nclusters: []\nusers: []", id="no such context"),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_is_named(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = tmp_path / "config"
    if text is not None:
        kubeconfig.write_text(text)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    with pytest.raises(NoApiServer, match=rf"^expected address and credentials .* in {kubeconfig}"):
        await load_configuration()


async def test_a_pod_without_a_service_account_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    monkeypatch.delenv("KUBERNETES_SERVICE_PORT", raising=False)
    with pytest.raises(NoApiServer, match="in the pod's service account"):
        await load_configuration()
