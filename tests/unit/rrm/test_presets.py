"""Preset and spec become every effective number, or a message that names the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.errors import InvalidSpec
from rrm.presets import PRESETS, Hyperparameters, resolve
from rrm_api.run import Intent


def intent(**changes: object) -> Intent:
    """An intent of the smallest training; `changes` by API name."""
    document: dict[str, object] = {
        "name": "judge",
        "namespace": "default",
        "uid": "",
        "method": "Pointwise",
        "model": {"name": "Qwen/Qwen3-8B"},
        "data": {"train": [{"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}]},
        "template": {},
        "reward": {"exponential": {}},
        "training": {},
        "nodes": 2,
        "gpusPerNode": 8,
        "accelerator": "NVIDIA",
        "keepLast": 2,
        "keepBest": True,
        "exportEnabled": True,
        "exportCheckpoint": "Best",
    }
    return Intent.model_validate(document | changes)


def test_the_smallest_training_gets_the_preset() -> None:
    assert resolve(intent()) == Hyperparameters(
        preset="pointwise-v1",
        epochs=2,
        max_steps=None,
        batch_size=96,
        mini_batch_size=24,
        micro_batch_size_per_gpu=1,
        rollouts_per_prompt=8,
        learning_rate=1e-6,
        kl_coefficient=0.001,
        temperature=1.0,
        evaluate_every_steps=10,
        save_every_steps=20,
        tensor_parallel=2,
        max_prompt_tokens=4096,
        max_response_tokens=4096,
    )


def test_every_preset_value_can_be_overridden() -> None:
    wanted = {
        "epochs": 3,
        "maxSteps": 24,
        "batchSize": 8,
        "miniBatchSize": 8,
        "microBatchSizePerGPU": 16,
        "rolloutsPerPrompt": 8,
        "learningRate": "5e-4",
        "klCoefficient": "0",
        "temperature": "0.7",
        "evaluateEverySteps": 6,
        "tensorParallel": 1,
    }
    numbers = resolve(intent(training=wanted, nodes=1, gpusPerNode=1, saveEverySteps=12))
    assert (numbers.epochs, numbers.max_steps, numbers.learning_rate) == (3, 24, 5e-4)
    assert (numbers.batch_size, numbers.mini_batch_size, numbers.micro_batch_size_per_gpu) == (8, 8, 16)
    assert (numbers.kl_coefficient, numbers.temperature, numbers.tensor_parallel) == (0, 0.7, 1)
    assert (numbers.evaluate_every_steps, numbers.save_every_steps) == (6, 12)


@pytest.mark.parametrize(
    ("reasoning", "tokens"), [("Native", 4096), ("Prompted", 2048), ("None", 16)], ids=str
)
def test_room_for_the_answer_follows_the_reasoning(reasoning: str, tokens: int) -> None:
    model = {"name": "Qwen/Qwen3-8B", "reasoning": reasoning}
    assert resolve(intent(model=model)).max_response_tokens == tokens


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "nonsense"}, "spec.preset is nonsense; known presets: pointwise-v1"),
        ({"training": {"tensorParallel": 3}}, "tensorParallel 3 must divide workers.gpusPerNode 8"),
        ({"training": {"miniBatchSize": 7, "rolloutsPerPrompt": 7}}, "do not spread evenly over 16 GPUs"),
        ({"training": {"microBatchSizePerGPU": 5}}, "must divide the 12 answers that each GPU gets"),
        ({"training": {"evaluateEverySteps": 7}, "saveEverySteps": 20}, "multiple of training.evaluateEvery"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_numbers_that_do_not_fit_are_refused_by_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        resolve(intent(**changes))


@given(nodes=st.integers(1, 64), gpus=st.integers(1, 16), rollouts=st.integers(2, 32))
def test_defaults_fit_every_cluster(nodes: int, gpus: int, rollouts: int) -> None:
    numbers = resolve(intent(nodes=nodes, gpusPerNode=gpus, training={"rolloutsPerPrompt": rollouts}))
    assert numbers.batch_size % numbers.mini_batch_size == 0
    assert numbers.mini_batch_size * rollouts % (nodes * gpus) == 0
    assert gpus % numbers.tensor_parallel == 0
    assert numbers.save_every_steps % numbers.evaluate_every_steps == 0


@given(save=st.integers(1, 500))
def test_a_given_save_interval_is_kept_and_evaluated(save: int) -> None:
    numbers = resolve(intent(saveEverySteps=save))
    assert numbers.save_every_steps == save
    assert save % numbers.evaluate_every_steps == 0


def test_steps_are_what_epochs_hold_and_max_steps_allow() -> None:
    assert resolve(intent()).total_steps(19_000) == 2 * (19_000 // 96)
    assert resolve(intent(training={"maxSteps": 500})).total_steps(960) == 500
    assert resolve(intent(training={"maxSteps": 500, "epochs": 3})).total_steps(960) == 30


def test_fewer_rows_than_a_batch_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="batchSize is 96, but only 40 training rows are left"):
        resolve(intent()).total_steps(40)


def test_preset_names_are_their_keys() -> None:
    assert {name: preset.name for name, preset in PRESETS.items()} == {name: name for name in PRESETS}
