"""What will not fit is said with field, value and remedy; what fits is not talked about."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.plan import Question, plan

Write = Callable[..., Path]
SMALL_VOLUME = {"volume": {"size": "100Gi"}}
LARGE_VOLUME = {"volume": {"size": "20Ti"}}


def warn(path: Path, here: Path, **more: int) -> list[str]:
    return plan(Question(training=path, volume=here / "runs", claims=here / "claims", **more)).warnings


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"preset": "pointwise-v1-8b"},
        {"preset": "pointwise-v1-lora"},
        {"preset": "pointwise-v1-14b", "model": {"name": "Qwen/Qwen3-14B"}, "checkpoints": LARGE_VOLUME},
        {
            "preset": "pointwise-v1-32b",
            "model": {"name": "Qwen/Qwen3-32B"},
            "workers": {"nodes": 2},
            "checkpoints": LARGE_VOLUME,
        },
    ],
    ids=str,
)
def test_our_presets_fit_the_clusters_they_are_made_for(
    spec: dict[str, object], training: Write, tmp_path: Path
) -> None:
    assert warn(training(**spec), tmp_path) == []


@pytest.mark.parametrize(
    ("spec", "gpu", "parts"),
    [
        ({"model": {"name": "a/b-70B"}, "checkpoints": LARGE_VOLUME}, 80,
         ["spec.workers: 1 x 8 GPUs: weights, gradients and Adam alone take 14", "use more nodes",
          "spec.training.tensorParallel 2: vLLM's part of 48.0 GB", "use tensorParallel 4"]),
        ({"training": {"microBatchSizePerGPU": 6}}, 80,
         ["an update with passes of 49152 tokens takes 118.7 GB", "training.microBatchSizePerGPU (6)"]),
        ({"model": {"name": "Qwen/Qwen3-32B"}, "workers": {"nodes": 2}, "checkpoints": LARGE_VOLUME,
          "training": {"overrides": {"actor_rollout_ref.rollout.gpu_memory_utilization": "0.8"}}}, 80,
         ["gpu_memory_utilization 0.8: vLLM beside weights and Adam takes 92.6 GB of a GPU's 80.0 GB"]),
        ({"training": {"tensorParallel": 1, "overrides":
          {"actor_rollout_ref.rollout.gpu_memory_utilization": "0.2"}}}, 80,
         ["tensorParallel 1: vLLM's part of 16.0 GB does not hold 16.4 GB", "use tensorParallel 2"]),
        ({"training": {"tensorParallel": 8, "overrides":
          {"actor_rollout_ref.rollout.gpu_memory_utilization": "0.01"}}}, 80,
         ["use GPUs with more memory or more of them per node"]),
        ({"checkpoints": SMALL_VOLUME}, 80,
         ["spec.checkpoints.volume.size 100Gi is 107.4 GB, but 4 checkpoints of 98.3 GB", "need 425.9 GB",
          "use a larger volume or a smaller checkpoints.keepLast"]),
        ({"preset": "pointwise-v1-8b", "training": {"overrides":
          {"actor_rollout_ref.actor.ppo_max_token_len_per_gpu": "2048"}}}, 80,
         ["max_tokens_per_gpu 2048 holds no prompt of 4096 with an answer of 8192 tokens"]),
        ({"preset": "pointwise-v1-8b"}, 40,
         ["preset pointwise-v1-8b computes batches and vLLM's part for 8.2B parameters and 80 GB GPUs",
          "the GPUs have 40 GB"]),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_does_not_fit_names_field_value_and_remedy(
    spec: dict[str, object], gpu: int, parts: list[str], training: Write, tmp_path: Path
) -> None:
    said = "\n".join(warn(training(**spec), tmp_path, gpu_bytes=gpu * 10**9))
    assert [part for part in parts if part not in said] == [], said


def test_a_smaller_part_for_vllm_is_no_remedy_where_the_weights_alone_do_not_fit(
    training: Write, tmp_path: Path
) -> None:
    alone = {"nodes": 1, "gpusPerNode": 1}
    said = "\n".join(warn(training(workers=alone, checkpoints=LARGE_VOLUME), tmp_path))
    assert "weights, gradients and Adam alone take" in said
    assert "gpu_memory_utilization" not in said


def held_on_a_claim(training: Write, tmp_path: Path, config: str | None, **spec: object) -> Path:
    folder = tmp_path / "claims" / "models" / "judge"
    folder.mkdir(parents=True)
    if config is not None:
        (folder / "config.json").write_text(config)
    volume = {"claimName": "models", "path": "judge"}
    return training(model={"name": "our-judge", "volume": volume}, checkpoints=LARGE_VOLUME, **spec)


QWEN3_32B = {
    "num_hidden_layers": 64,
    "hidden_size": 5120,
    "intermediate_size": 25600,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151_936,
}


@pytest.mark.parametrize("config", [QWEN3_32B, {"text_config": QWEN3_32B}])
def test_the_size_comes_from_the_models_own_config(
    config: dict[str, object], training: Write, tmp_path: Path
) -> None:
    path = held_on_a_claim(training, tmp_path, json.dumps(config), preset="pointwise-v1-8b")
    planned = plan(Question(training=path, volume=tmp_path / "runs", claims=tmp_path / "claims"))
    assert planned.model.shape.parameters == pytest.approx(32.76e9, rel=1e-3)
    assert planned.model.origin.endswith("models/judge/config.json")
    assert any("computes batches and vLLM's part for 8.2B" in warning for warning in planned.warnings)


def test_a_hubs_model_is_sized_by_its_prepared_copy(training: Write, tmp_path: Path) -> None:
    copy = tmp_path / "runs" / "judge" / "model" / "c0ffee" / "config.json"
    copy.parent.mkdir(parents=True)
    copy.write_text(json.dumps(QWEN3_32B))
    planned = plan(Question(training=training(), volume=tmp_path / "runs", claims=tmp_path))
    assert planned.model.origin == str(copy)


@pytest.mark.parametrize("config", [None, "{", "[]", "{}", '{"num_hidden_layers": "many"}', "null"])
def test_an_unknown_size_is_said_instead_of_false_alarms(
    config: str | None, training: Write, tmp_path: Path
) -> None:
    path = held_on_a_claim(training, tmp_path, config)
    said = warn(path, tmp_path)
    assert len(said) == 1
    assert "spec.model.name our-judge tells no size and its config.json is not here" in said[0]
    assert "give --parameters" in said[0]
