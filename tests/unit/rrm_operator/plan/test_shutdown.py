"""How Ray pods go: preStop and termination grace, merged below what a user says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.train import farewell
from rrm_api.run import SECRET_VARIABLES_ENV
from rrm_api.v1alpha1 import RewardModelTraining, parse_training
from rrm_operator.plan.ray_environment import ray_environment
from rrm_operator.plan.shutdown import with_shutdown
from rrm_operator.settings import Settings

EXAMPLE = Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml"
SETTINGS = Settings(default_image="trainer:1", pod_grace_seconds=10)


def training(save_grace: int = 600, **spec: Any) -> RewardModelTraining:
    manifest = yaml.safe_load(EXAMPLE.read_text())
    manifest["metadata"] |= {"namespace": "team", "uid": "1"}
    manifest["spec"]["checkpoints"]["saveGraceSeconds"] = save_grace
    manifest["spec"] |= spec
    return parse_training(manifest)


def pod_of(of: RewardModelTraining, container: dict[str, Any] | None = None, **pod: Any) -> Any:
    containers = [{"name": "ray-head", **(container or {})}, {"name": "beside"}]
    template = {"metadata": {}, "spec": {"containers": containers, **pod}}
    return with_shutdown(template, of, main="ray-head", settings=SETTINGS)["spec"]


def hook_of(pod: Any) -> list[str]:
    command: list[str] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    return command


def test_a_pod_may_take_the_time_to_save_and_to_end_ray() -> None:
    pod = pod_of(training(save_grace=600))
    assert pod["terminationGracePeriodSeconds"] == 630
    assert hook_of(pod)[-2:] == ["--grace", "600"]


def test_only_the_ray_container_says_farewell() -> None:
    assert "lifecycle" not in pod_of(training())["containers"][1]


def test_a_training_that_need_not_save_has_the_operators_grace_and_ends_ray_at_once() -> None:
    pod = pod_of(training(save_grace=0))
    assert pod["terminationGracePeriodSeconds"] == 10
    assert hook_of(pod)[-2:] == ["--grace", "0"]


@pytest.mark.parametrize(
    ("granted", "grace"),
    [
        pytest.param(90, "60", id="shorter than the save grace"),
        pytest.param(20, "0", id="too short to save at all"),
        pytest.param(3600, "600", id="longer"),
    ],
)
def test_a_grace_of_the_users_template_stays_and_bounds_the_time_to_save(granted: int, grace: str) -> None:
    pod = pod_of(training(save_grace=600), terminationGracePeriodSeconds=granted)
    assert pod["terminationGracePeriodSeconds"] == granted
    assert hook_of(pod)[-1] == grace


def test_a_lifecycle_of_the_users_template_stays() -> None:
    own = {"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}
    assert pod_of(training(), own)["containers"][0]["lifecycle"] == own["lifecycle"]


def test_a_lifecycle_that_says_nothing_about_the_end_leaves_the_farewell() -> None:
    start = {"postStart": {"exec": {"command": ["true"]}}}
    pod = pod_of(training(), {"lifecycle": start})
    assert pod["containers"][0]["lifecycle"]["postStart"] == start["postStart"]
    assert hook_of(pod)[2] == "rrm.train.farewell"


def test_a_lifecycle_that_is_none_is_left_for_the_api_server_to_refuse() -> None:
    assert pod_of(training(), {"lifecycle": "never"})["containers"][0]["lifecycle"] == "never"


def test_a_pod_that_still_waits_for_its_head_hears_sigterm() -> None:
    assert pod_of(training())["shareProcessNamespace"] is True
    assert pod_of(training(), shareProcessNamespace=False)["shareProcessNamespace"] is False


def test_the_template_itself_is_left_alone() -> None:
    template: dict[str, Any] = {"spec": {"containers": [{"name": "ray-head"}]}}
    with_shutdown(template, training(), main="ray-head", settings=SETTINGS)
    assert template == {"spec": {"containers": [{"name": "ray-head"}]}}


def test_the_hook_understands_its_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = hook_of(pod_of(training()))
    assert command[:3] == ["python", "-m", farewell.__name__]
    monkeypatch.setattr(farewell, "end_ray", lambda: 0)  # that would end any Ray of this machine
    assert farewell.main([str(tmp_path) if it == "/mnt/rrm" else it for it in command[3:]]) == 0
    assert "no attempt is running" in capsys.readouterr().err


def test_a_stopped_ray_job_leaves_the_parent_time_to_report() -> None:
    assert dict(ray_environment(training().spec))["RAY_JOB_STOP_WAIT_TIME_S"] == "25"


def test_ray_pods_are_told_which_variables_come_from_secrets() -> None:
    env = [
        {"name": "PLAIN", "value": "1"},
        {"name": "CREDENTIALS", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "c"}}},
    ]
    assert dict(ray_environment(training(env=env).spec))[SECRET_VARIABLES_ENV] == "CREDENTIALS"
    assert SECRET_VARIABLES_ENV not in dict(ray_environment(training().spec))
