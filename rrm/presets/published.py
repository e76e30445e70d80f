"""Presets of others, number by number as published; what they inherit from verl is pinned here too.

"script" is the project's launch script, "verl 0.4.0" a default that the script leaves alone.
"""

from dataclasses import replace
from typing import Any, Final

from rrm.presets.preset import Preset, Value
from rrm_api.spec_train import Method, Reasoning

SCRIPT: Final = "RM-Gallery's script"
VERL: Final = "verl 0.4.0's default, which the script leaves alone"


def same_room(tokens: int) -> dict[Reasoning, int]:
    """Return room for the answer that does not depend on who reasons.

    >>> same_room(2048)[Reasoning.NONE]
    2048
    """
    return {Reasoning.NATIVE: tokens, Reasoning.PROMPTED: tokens, Reasoning.NONE: tokens}


RM_GALLERY_POINTWISE: Final = Preset(
    name="rm-gallery-pointwise-v0.1",
    method=Method.POINTWISE,
    about="RM-Gallery v0.1's pointwise script (Qwen3-8B, 8 GPUs, verl 0.4.0), to compare with",
    model_parameters=Value(8_190_735_360, f"{SCRIPT}: Qwen3-8B"),
    epochs=Value(1, f"{SCRIPT}; its published curve needs about 370 steps, one epoch holds 169"),
    batch_size=Value(96, SCRIPT),
    mini_batch_size=Value(24, f"{SCRIPT}: 4 updates a step"),
    micro_batch_size_per_gpu=Value(1, SCRIPT),
    max_tokens_per_gpu=Value(None, f"{VERL} (use_dynamic_bsz=False)"),
    rollouts_per_prompt=Value(4, SCRIPT),
    filter_groups=Value(False, "verl 0.4.0's main_ppo has no such filter"),
    learning_rate=Value(1e-6, SCRIPT),
    warmup_steps=Value(0, f"{VERL} (constant rate)"),
    kl_coefficient=Value(0.001, f"{SCRIPT}: in the loss, low_var_kl"),
    entropy_coefficient=Value(0.0, SCRIPT),
    clip_ratio_low=Value(0.2, VERL),
    clip_ratio_high=Value(0.2, VERL),
    temperature=Value(1.0, VERL),
    lora_rank=Value(0, VERL),
    evaluate_every_steps=Value(10, SCRIPT),
    save_every_steps=Value(20, SCRIPT),
    tensor_parallel=Value(8, f"{SCRIPT}: all GPUs of a node serve one copy"),
    gpu_memory_utilization=Value(0.6, SCRIPT),
    max_prompt_tokens=Value(4096, SCRIPT),
    max_response_tokens=Value(same_room(2048), f"{SCRIPT}; with thinking on, many answers are cut off"),
)

RM_GALLERY_PAIRWISE: Final = replace(
    RM_GALLERY_POINTWISE,
    name="rm-gallery-pairwise-v0.1",
    method=Method.PAIRWISE,
    about="RM-Gallery v0.1's pairwise scripts (Qwen3-14B and Qwen2.5-14B, 8 GPUs), to compare with",
    model_parameters=Value(14_768_307_200, f"{SCRIPT}: Qwen3-14B or Qwen2.5-14B-Instruct"),
    epochs=Value(10, f"{SCRIPT}; the published run stopped after a third, at step 380"),
    evaluate_every_steps=Value(2, SCRIPT),
)

OPENJUDGE: Final = "OpenJudge's script"
_SAME: Final[dict[str, Any]] = {
    name: Value(value.value, value.source.replace(SCRIPT, OPENJUDGE).replace("0.4.0", "0.6.1"))
    for name, value in RM_GALLERY_POINTWISE.values()
}
OPENJUDGE_POINTWISE: Final = replace(
    RM_GALLERY_POINTWISE,
    name="openjudge-pointwise",
    about="OpenJudge's pointwise script (Qwen3-8B, 8 GPUs, verl 0.6.1), to compare with",
    **{
        **_SAME,
        "epochs": Value(1, OPENJUDGE),
        "tensor_parallel": Value(8, f"{OPENJUDGE}: as many as a node has GPUs"),
        "max_response_tokens": Value(same_room(2048), OPENJUDGE),
    },
)
OPENJUDGE_PAIRWISE: Final = replace(
    OPENJUDGE_POINTWISE,
    name="openjudge-pairwise",
    method=Method.PAIRWISE,
    about="OpenJudge's pairwise script (Qwen3-8B, 8 GPUs, verl 0.6.1), to compare with",
    epochs=Value(30, OPENJUDGE),
    evaluate_every_steps=Value(4, OPENJUDGE),
)

PAPER: Final = "RM-R1's paper"
SILENT: Final = "RM-R1 publishes none"
RM_R1_PAIRWISE: Final = replace(
    RM_GALLERY_PAIRWISE,
    name="rm-r1-pairwise",
    about="RM-R1's GRPO stage (Qwen2.5 7B to 32B, 8 GPUs for 7B); wants reward.signed (+1/-1) and no ties",
    model_parameters=Value(7_615_616_512, f"{PAPER}: Qwen2.5-7B-Instruct is the smallest"),
    epochs=Value(1, f"{PAPER}: about 65 steps of 64k pairs"),
    batch_size=Value(1024, PAPER),
    mini_batch_size=Value(128, f"{PAPER}: 8 updates a step"),
    micro_batch_size_per_gpu=Value(1, f"{SILENT}; ours: fits 80 GB up to 14B"),
    max_tokens_per_gpu=Value(None, f"{SILENT}; verl 0.4.0's default"),
    rollouts_per_prompt=Value(7, PAPER),
    learning_rate=Value(1e-6, PAPER),
    warmup_steps=Value(0, f"{SILENT}; verl 0.4.0's default"),
    kl_coefficient=Value(0.001, PAPER),
    entropy_coefficient=Value(0.0, f"{SILENT}; verl 0.4.0's default"),
    clip_ratio_low=Value(0.2, f"{SILENT}; verl 0.4.0's default"),
    clip_ratio_high=Value(0.2, f"{SILENT}; verl 0.4.0's default"),
    temperature=Value(1.0, f"{SILENT}; verl 0.4.0's default"),
    lora_rank=Value(0, f"{SILENT}; verl 0.4.0's default"),
    evaluate_every_steps=Value(5, f"{SILENT}; ours: 13 looks at a run of 65 steps"),
    save_every_steps=Value(10, f"{SILENT}; ours"),
    tensor_parallel=Value(2, f"{SILENT}; verl 0.4.0's default"),
    gpu_memory_utilization=Value(0.5, f"{SILENT}; verl 0.4.0's default"),
    max_prompt_tokens=Value(4096, PAPER),
    max_response_tokens=Value(same_room(8192), PAPER),
)
