"""Preset and spec become every effective number, or a message that names the field."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.errors import InvalidSpec
from rrm.presets import PRESETS, Hyperparameters, resolve
from rrm_api.run import Intent

MakeIntent = Callable[..., Intent]


def test_the_smallest_training_gets_the_preset(intent: MakeIntent) -> None:
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


def test_every_preset_value_can_be_overridden(intent: MakeIntent) -> None:
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
def test_room_for_the_answer_follows_the_reasoning(reasoning: str, tokens: int, intent: MakeIntent) -> None:
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
def test_numbers_that_do_not_fit_are_refused_by_field(
    changes: dict[str, object], message: str, intent: MakeIntent
) -> None:
    with pytest.raises(InvalidSpec, match=message):
        resolve(intent(**changes))


@given(nodes=st.integers(1, 64), gpus=st.integers(1, 16), rollouts=st.integers(2, 32))
def test_defaults_fit_every_cluster(intent: MakeIntent, nodes: int, gpus: int, rollouts: int) -> None:
    numbers = resolve(intent(nodes=nodes, gpusPerNode=gpus, training={"rolloutsPerPrompt": rollouts}))
    assert numbers.batch_size % numbers.mini_batch_size == 0
    assert numbers.mini_batch_size * rollouts % (nodes * gpus) == 0
    assert gpus % numbers.tensor_parallel == 0
    assert numbers.save_every_steps % numbers.evaluate_every_steps == 0


@given(save=st.integers(1, 500))
def test_a_given_save_interval_is_kept_and_evaluated(intent: MakeIntent, save: int) -> None:
    numbers = resolve(intent(saveEverySteps=save))
    assert numbers.save_every_steps == save
    assert save % numbers.evaluate_every_steps == 0


def test_steps_are_what_epochs_hold_and_max_steps_allow(intent: MakeIntent) -> None:
    assert resolve(intent()).total_steps(19_000) == 2 * (19_000 // 96)
    assert resolve(intent(training={"maxSteps": 500})).total_steps(960) == 500
    assert resolve(intent(training={"maxSteps": 500, "epochs": 3})).total_steps(960) == 30


def test_fewer_rows_than_a_batch_are_refused(intent: MakeIntent) -> None:
    with pytest.raises(InvalidSpec, match="batchSize is 96, but only 40 training rows are left"):
        resolve(intent()).total_steps(40)


NUMBERS_OF_THE_SEED = {
    "batch_size": 96,
    "mini_batch_size": 24,
    "micro_batch_size_per_gpu": 1,
    "rollouts_per_prompt": 4,
    "learning_rate": 1e-6,
    "kl_coefficient": 0.001,
    "entropy_coefficient": 0.0,
    "temperature": 1.0,
    "tensor_parallel": 8,
    "gpu_memory_utilization": 0.6,
    "max_prompt_tokens": 4096,
    "max_response_tokens": 2048,
    "max_tokens_per_gpu": None,
    "filter_groups": False,
    "warmup_steps": 0,
    "lora_rank": 0,
    "clip_ratio_low": 0.2,
    "clip_ratio_high": 0.2,
    "save_every_steps": 20,
    "max_steps": None,
}


@pytest.mark.parametrize(
    ("name", "method", "epochs", "evaluate"),
    [
        ("rm-gallery-pointwise-v0.1", "Pointwise", 1, 10),
        ("rm-gallery-pairwise-v0.1", "Pairwise", 10, 2),
        ("openjudge-pointwise", "Pointwise", 1, 10),
        ("openjudge-pairwise", "Pairwise", 30, 4),
    ],
)
def test_the_seeds_presets_give_the_seeds_numbers_on_the_seeds_cluster(
    name: str, method: str, epochs: int, evaluate: int, intent: MakeIntent
) -> None:
    numbers = vars(resolve(intent(preset=name, method=method, nodes=1)))
    expected = {"preset": name, "epochs": epochs, "evaluate_every_steps": evaluate}
    assert numbers == NUMBERS_OF_THE_SEED | expected


def test_rm_r1_keeps_its_seven_answers_and_large_batches_on_eight_gpus(intent: MakeIntent) -> None:
    numbers = resolve(intent(preset="rm-r1-pairwise", method="Pairwise", nodes=1))
    assert (numbers.batch_size, numbers.mini_batch_size, numbers.rollouts_per_prompt) == (1024, 128, 7)
    assert (numbers.max_response_tokens, numbers.learning_rate, numbers.kl_coefficient) == (8192, 1e-6, 0.001)
    assert numbers.total_steps(64_000) == 62  # the paper: about 65


@pytest.mark.parametrize(
    ("wanted", "preset", "result"),
    [
        (None, "pointwise-v1", False),
        (True, "pointwise-v1", True),
        (None, "pointwise-v1-8b", True),
        (False, "pointwise-v1-8b", False),
    ],
)
def test_the_spec_decides_whether_groups_are_filtered(
    wanted: bool | None, preset: str, result: bool, intent: MakeIntent
) -> None:
    training = {} if wanted is None else {"filterGroups": wanted}
    assert resolve(intent(preset=preset, training=training)).filter_groups is result


def test_filtered_groups_go_together_with_swapped_pairs(intent: MakeIntent) -> None:
    numbers = resolve(
        intent(
            method="Pairwise",
            reward={"pairwise": {"swapConsistencyWeight": "0.5"}},
            training={"filterGroups": True},
        )
    )
    assert (numbers.preset, numbers.filter_groups) == ("pairwise-v1", True)


@pytest.mark.parametrize(
    ("preset", "method"), [("rm-r1-pairwise", "Pointwise"), ("pointwise-v1", "Pairwise")]
)
def test_a_preset_of_another_method_is_refused_with_those_that_fit(
    preset: str, method: str, intent: MakeIntent
) -> None:
    with pytest.raises(InvalidSpec) as refused:
        resolve(intent(preset=preset, method=method))
    said = str(refused.value)
    assert f"spec.preset is {preset}" in said
    assert f"but spec.method is {method}" in said
    assert f"leave spec.preset out or use one of {method.lower()}-v1, " in said


def test_who_asks_for_a_micro_batch_gets_fixed_ones(intent: MakeIntent) -> None:
    assert resolve(intent(preset="pointwise-v1-8b")).max_tokens_per_gpu is not None
    fixed = resolve(intent(preset="pointwise-v1-8b", training={"microBatchSizePerGPU": 3}))
    assert (fixed.max_tokens_per_gpu, fixed.micro_batch_size_per_gpu) == (None, 3)


@pytest.mark.parametrize(
    ("model", "nodes", "tokens", "micro", "share"),
    [
        # 80 - 4 reserve - 16 x 8.19 / 8 - .91 gathered = 58.7 GB over 1.982 MB a token = 28.9 x 1024 tokens
        ("Qwen/Qwen3-8B", 1, 28_672, 2, 0.75),
        # 80 - 4 - 16 x 8.19 / 16 - .91 = 66.9 GB = 32.9 x 1024 tokens, two answers of 12,288
        ("Qwen/Qwen3-8B", 2, 32_768, 2, 0.8),
        # 16 x 32.76e9 / 8 = 65.5 GB leave less than one answer: the room itself, and a warning in the plan
        ("Qwen/Qwen3-32B", 1, 12_288, 1, 0.3),
        # 80 - 4 - 16 x 32.76 / 32 - 2.05 = 57.6 GB over 2.466 MB a token = 22.8 x 1024 tokens
        ("Qwen/Qwen3-32B", 4, 22_528, 1, 0.75),
    ],
)
def test_automatic_numbers_follow_from_model_and_gpus(
    model: str, nodes: int, tokens: int, micro: int, share: float, intent: MakeIntent
) -> None:
    numbers = resolve(intent(preset="pointwise-v1-8b", model={"name": model}, nodes=nodes))
    assert numbers.max_tokens_per_gpu == tokens
    assert numbers.micro_batch_size_per_gpu == micro
    assert numbers.gpu_memory_utilization == share


def test_a_name_without_a_size_counts_as_the_presets_model(intent: MakeIntent) -> None:
    nameless = resolve(intent(preset="pointwise-v1-32b", model={"name": "our-judge"}, nodes=4))
    named = resolve(intent(preset="pointwise-v1-32b", model={"name": "a/judge-32B"}, nodes=4))
    assert nameless.max_tokens_per_gpu == named.max_tokens_per_gpu


@given(nodes=st.integers(1, 64), gpus=st.integers(1, 16), name=st.sampled_from(sorted(PRESETS)))
def test_every_preset_fits_every_cluster(intent: MakeIntent, nodes: int, gpus: int, name: str) -> None:
    numbers = resolve(intent(preset=name, method=PRESETS[name].method.value, nodes=nodes, gpusPerNode=gpus))
    per_gpu = numbers.mini_batch_size * numbers.rollouts_per_prompt // (nodes * gpus)
    assert per_gpu % numbers.micro_batch_size_per_gpu == 0
    assert numbers.max_tokens_per_gpu is None or numbers.max_tokens_per_gpu >= numbers.room
    assert 0 < numbers.gpu_memory_utilization <= 0.8


def test_a_given_batch_gets_the_largest_mini_batch_that_fits(intent: MakeIntent) -> None:
    numbers = resolve(intent(training={"batchSize": 80}))
    assert (numbers.batch_size, numbers.mini_batch_size) == (80, 20)
    with pytest.raises(InvalidSpec, match="miniBatchSize 7 x rolloutsPerPrompt 8 answers do not spread"):
        resolve(intent(training={"batchSize": 7}))


def test_a_given_mini_batch_must_divide_the_batch(intent: MakeIntent) -> None:
    assert resolve(intent(training={"miniBatchSize": 40})).batch_size == 80
    with pytest.raises(ValueError, match="batchSize must be a multiple of miniBatchSize"):
        resolve(intent(training={"batchSize": 96, "miniBatchSize": 40}))
