"""Sums by hand: 8.19e9 and 32.76e9 parameters, 4 bytes a float, 2 a half."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.presets.memory import (
    Cluster,
    adapter_parameters,
    cache_bytes_per_token,
    fixed_bytes,
    memory_utilization,
    tokens_per_gpu,
    trained_parameters,
)
from rrm.presets.model_size import SHAPES, Shape, parameters_of_name, shape_near, shape_of_config

QWEN3 = {
    "0.6B": (28, 1024, 3072, 16, True),
    "1.7B": (28, 2048, 6144, 16, True),
    "4B": (36, 2560, 9728, 32, True),
    "8B": (36, 4096, 12288, 32, False),
    "14B": (40, 5120, 17408, 40, False),
    "32B": (64, 5120, 25600, 64, False),
}


def config(size: str) -> dict[str, object]:
    layers, hidden, intermediate, heads, is_tied = QWEN3[size]
    return {
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151_936,
        "tie_word_embeddings": is_tied,
    }


@pytest.mark.parametrize("size", QWEN3)
def test_the_table_of_shapes_is_what_their_configs_say(size: str) -> None:
    counted, listed = shape_of_config(config(size)), SHAPES[size]
    assert counted.parameters == pytest.approx(listed.parameters, rel=1e-4)
    assert vars(counted) | {"parameters": 0} == vars(listed) | {"parameters": 0}


def test_experts_count_all_though_few_are_asked() -> None:
    experts = {**config("4B"), "num_experts": 128, "moe_intermediate_size": 768}
    dense = shape_of_config(config("4B")).parameters
    mlp = 36 * 3 * 2560
    assert shape_of_config(experts).parameters == dense + mlp * (128 * 768 - 9728)


@pytest.mark.parametrize(
    ("size", "gpus", "expected"),
    [("8B", 8, (4.095, 4.095, 8.191, 0.910)), ("32B", 16, (8.191, 8.191, 16.381, 2.048))],
)
def test_fixed_bytes_are_sixteen_a_parameter_cut_over_all_gpus(
    size: str, gpus: int, expected: tuple[float, ...]
) -> None:
    found = fixed_bytes(SHAPES[size], Cluster(gpus=gpus), lora_rank=0)
    assert [round(count / 1e9, 3) for count in found] == list(expected)


def test_an_adapter_leaves_gradients_and_adam_nearly_nothing() -> None:
    weights, gradients, adam, _ = fixed_bytes(SHAPES["8B"], Cluster(gpus=8), lora_rank=64)
    assert gradients == 4 * adapter_parameters(SHAPES["8B"], 64) // 8 == 87_293_952
    assert adam == 2 * gradients
    assert weights == 4 * (8_190_735_360 + 174_587_904) // 8
    assert trained_parameters(SHAPES["8B"], 0) == 8_190_735_360


def test_the_cache_of_a_token_is_a_key_and_a_value_of_each_layer() -> None:
    assert cache_bytes_per_token(SHAPES["32B"]) == 2 * 2 * 64 * 8 * 128


@given(
    shape=st.sampled_from(list(SHAPES.values())),
    gpus=st.integers(1, 512),
    room=st.integers(32, 65_536),
    rank=st.sampled_from([0, 16, 64]),
)
def test_a_pass_holds_one_answer_and_at_most_four(shape: Shape, gpus: int, room: int, rank: int) -> None:
    tokens = tokens_per_gpu(shape, Cluster(gpus=gpus), lora_rank=rank, room=room)
    assert room <= tokens <= 4 * room
    assert tokens <= tokens_per_gpu(shape, Cluster(gpus=gpus + 1), lora_rank=rank, room=room)
    assert 0.3 <= memory_utilization(shape, Cluster(gpus=gpus), lora_rank=rank) <= 0.8


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Qwen/Qwen3-14B", 14_768_307_200),
        ("Qwen/Qwen3-30B-A3B", 30_000_000_000),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", 7_000_000_000),
        ("tiny-1.05m", 1_050_000),
        ("v2b3", None),
        ("/models/judge", None),
    ],
)
def test_a_size_is_read_from_a_name(name: str, parameters: int | None) -> None:
    assert parameters_of_name(name) == parameters


def test_a_shape_keeps_the_parameters_that_were_asked_for() -> None:
    near = shape_near(70_000_000_000)
    assert (near.parameters, near.layers) == (70_000_000_000, 64)
