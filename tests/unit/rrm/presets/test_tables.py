"""The presets as tables: complete, sourced, and told apart."""

import re
from dataclasses import fields

import pytest

from rrm.methods import METHODS
from rrm.presets import PRESETS, Hyperparameters
from rrm.presets.ours import SIZES
from rrm.presets.preset import UNITS
from rrm.presets.verl_keys import KEY_OF
from rrm_api.spec_train import Method


def test_preset_names_are_their_keys() -> None:
    assert {name: preset.name for name, preset in PRESETS.items()} == {name: name for name in PRESETS}


def test_a_name_can_stand_in_a_spec() -> None:
    assert [name for name in PRESETS if not re.fullmatch("[a-z0-9.-]{1,64}", name)] == []


def test_every_value_has_a_unit_or_none_and_a_source_in_words() -> None:
    for preset in PRESETS.values():
        for name, value in preset.values():
            assert name in UNITS
            assert len(value.source) >= 4, f"{preset.name}: {name}"


def test_every_number_of_a_run_comes_from_presets_and_has_its_key_in_verl() -> None:
    effective = {field.name for field in fields(Hyperparameters)} - {"preset", "max_steps"}
    for preset in PRESETS.values():
        assert effective == {name for name, _ in preset.values()} - {"model_parameters"}
    assert effective - {"filter_groups"} == set(KEY_OF) - {"max_steps"}


def test_saving_is_a_multiple_of_evaluating_in_every_preset() -> None:
    for preset in PRESETS.values():
        assert preset.save_every_steps.value % preset.evaluate_every_steps.value == 0, preset.name
        assert preset.batch_size.value % preset.mini_batch_size.value == 0, preset.name


@pytest.mark.parametrize("method", Method)
def test_a_methods_default_is_its_own(method: Method) -> None:
    assert PRESETS[METHODS[method].preset].method is method


@pytest.mark.parametrize("size", SIZES)
def test_both_methods_change_the_same_for_a_size(size: str) -> None:
    changes = []
    for plain in ("pointwise-v1", "pairwise-v1"):
        base = dict(PRESETS[plain].values())
        sized = PRESETS[f"{plain}-{size}"].values()
        changes.append({name: value.value for name, value in sized if value.value != base[name].value})
    assert changes[0] == changes[1]
    assert changes[0]["filter_groups"] is True
