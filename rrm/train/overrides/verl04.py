"""The words of verl 0.4.0, the version that RM-Gallery names: one loop, rollout in the trainer's process."""

from pathlib import Path
from typing import Final

from rrm.errors import InvalidSpec
from rrm.train.overrides import shared
from rrm.train.overrides.hydra_text import Value
from rrm.train.overrides.job import Job
from rrm.train.overrides.shared import ACTOR, FLOAT32, MODEL, RAY, REF, ROLLOUT

HOOKS: Final[dict[str, Value]] = {
    # A file: this version knows no packages. Reward manager and trainer are put in by our task runner.
    "data.custom_cls.path": str(Path(__file__).parents[1] / "verl04" / "dataset.py"),
    "data.custom_cls.name": "PaddedRows",
}

PINNED: Final[dict[str, Value]] = {
    **shared.PINNED,
    "+data.dataloader_num_workers": 0,
    f"{ACTOR}.optim.warmup_style": "constant",
    # Checked even where no critic is trained.
    "critic.strategy": "fsdp2",
    f"{ROLLOUT}.mode": "sync",
    # It has no logger that writes a file; our trainer writes the same lines as the newer one's.
    "trainer.logger": "[console]",
    # In this version the name of Ray's resource, also where the resource is made up.
    "trainer.device": "cuda",
}

NVIDIA: Final[dict[str, Value]] = {
    f"{ROLLOUT}.name": "vllm",
    f"{MODEL}.use_remove_padding": False,
    f"{MODEL}.enable_gradient_checkpointing": True,
    f"{REF}.fsdp_config.param_offload": True,
}

CPU: Final[dict[str, Value]] = {
    f"{MODEL}.use_remove_padding": False,
    f"{MODEL}.enable_gradient_checkpointing": False,
    f"+{ACTOR}.fsdp_config.mixed_precision": FLOAT32,
    f"{ACTOR}.use_torch_compile": False,
    f"{REF}.strategy": "fsdp2",
    f"+{REF}.fsdp_config.mixed_precision": FLOAT32,
    f"+{REF}.fsdp_config.model_dtype": "fp32",
    # transformers' own generate: vLLM of that age has no CPU build.
    f"{ROLLOUT}.name": "hf",
    f"{ROLLOUT}.dtype": "float32",
    # How transformers says "all of them".
    f"{ROLLOUT}.top_k": 0,
    f"{ROLLOUT}.val_kwargs.top_k": 0,
    # Answers that are sampled at once.
    f"+{ROLLOUT}.micro_batch_size": 64,
}
"""A CPU computes in float32 and without compiler; only FSDP2 accepts its parameters."""


def render(job: Job) -> dict[str, Value]:
    """Return every key that differs from verl's defaults or must not follow their changes.

    Raises:
        InvalidSpec: the training asks for what only the newer engine can do.
    """
    _refuse(job)
    return {
        **HOOKS,
        **shared.own_dataset(job, str(Path(__file__).parents[1] / "hooks" / "upstream_dataset.py")),
        **PINNED,
        **(CPU if job.is_cpu else {**NVIDIA, **_vllm(job)}),
        **shared.data(job),
        "+data.seed": job.seed,
        **shared.learning(job),
        **shared.rollout(job),
        **shared.trainer(job),
        **({} if job.ray.address is not None else {f"+{RAY}.num_cpus": shared.logical_cpus(job)}),
        **shared.embedded_ray(job),
        **shared.forwarded(job),
        **shared.settings(job),
    }


def _vllm(job: Job) -> dict[str, Value]:
    return {
        f"{ROLLOUT}.gpu_memory_utilization": job.numbers.gpu_memory_utilization,
        f"{ROLLOUT}.max_model_len": job.room,
        f"{ROLLOUT}.max_num_batched_tokens": job.batched_tokens,
    }


def _refuse(job: Job) -> None:
    pairwise = job.intent.reward.pairwise
    weight = pairwise.swap_consistency_weight if pairwise is not None else "0"
    asked = {
        f"spec.reward.pairwise.swapConsistencyWeight {weight}": (float(weight) > 0, "set it to 0"),
        "spec.training.filterGroups true": (job.numbers.filter_groups, "set it to false"),
        f"spec.preset {job.numbers.preset}, LoRA": (job.numbers.lora_rank > 0, "train all weights"),
    }
    for what, (is_asked, remedy) in asked.items():
        if is_asked:
            raise InvalidSpec(
                f"{what}: expected a training that verl 0.4.0 can run, found one that needs verl 0.9.1: its "
                f"one loop has no place for it; use the default image, or {remedy}"
            )
