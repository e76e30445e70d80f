"""The variables of a CPU run: the operator sets them on pods, the trainer where nobody did, both alike."""

from pathlib import Path

import yaml

from rrm.train.environment import CPU
from rrm_api.v1alpha1 import parse_training
from rrm_operator.plan.ray_environment import ray_environment

EXAMPLE = Path(__file__).parents[2] / "crds" / "examples" / "tiny-cpu.yaml"


def test_pods_of_a_cpu_run_have_what_the_trainers_plugin_is_switched_on_by() -> None:
    document = yaml.safe_load(EXAMPLE.read_text())
    document["metadata"] |= {"namespace": "team", "uid": "1"}
    on_pods = dict(ray_environment(parse_training(document).spec))
    assert {name: on_pods.get(name, value) for name, value in CPU.items()} == CPU
    for name in ("VERL_PLATFORM", "VERL_ENGINE_DEVICE", "VERL_USE_EXTERNAL_MODULES"):
        assert on_pods[name] == CPU[name]
