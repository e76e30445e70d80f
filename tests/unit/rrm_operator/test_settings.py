"""Settings that would break every training are refused at the start."""

import pytest
from pydantic import ValidationError

import rrm_operator.__main__ as main
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
