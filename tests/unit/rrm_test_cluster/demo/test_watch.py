from typing import Any

import pytest

from rrm_test_cluster.demo.watch import glimpse


def training(stage: str, conditions: dict[str, tuple[str, str]], **progress: Any) -> dict[str, Any]:
    listed = [
        {"type": name, "status": status, "message": words} for name, (status, words) in conditions.items()
    ]
    return {"metadata": {}, "status": {"stage": stage, "conditions": listed, "progress": progress}}


def test_before_the_first_step_the_condition_speaks() -> None:
    seen = glimpse(
        training("Provisioning", {"Ready": ("False", "no"), "Reconciling": ("True", "waits for a node")})
    )
    assert seen.line().split() == ["Provisioning", "waits", "for", "a", "node"]
    assert not seen.is_decided


def test_while_steps_are_counted_the_numbers_speak() -> None:
    seen = glimpse(
        training(
            "Training",
            {"Ready": ("True", "training")},
            step=6,
            totalSteps=24,
            reward="0.53125",
            validation=[{"name": "reward", "value": "0.6"}],
            secondsPerStep="8.123",
            etaSeconds=146,
        )
    )
    assert seen.line().split() == "Training 6/24 reward 0.531 validation 0.6 s/step 8.12 rest 146s".split()


@pytest.mark.parametrize(
    ("conditions", "is_decided"),
    [
        pytest.param({"Succeeded": ("Unknown", "")}, False, id="unknown is not decided"),
        pytest.param({"Succeeded": ("True", "")}, True, id="succeeded"),
        pytest.param({"Succeeded": ("False", "")}, True, id="failed for good"),
        pytest.param({"Stalled": ("True", "missing file")}, True, id="a person must act"),
        pytest.param({"Stalled": ("False", "")}, False, id="not stalled"),
    ],
)
def test_a_training_is_decided_when_nothing_will_change_by_itself(
    conditions: dict[str, tuple[str, str]], is_decided: bool
) -> None:
    assert glimpse(training("Training", conditions)).is_decided is is_decided


def test_what_stalls_a_training_is_told_before_all_else() -> None:
    conditions = {"Reconciling": ("True", "preparing"), "Stalled": ("True", "line 7 is no JSON")}
    assert glimpse(training("Stalled", conditions)).note == "line 7 is no JSON"
