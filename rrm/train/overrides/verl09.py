"""The words of verl 0.9.1: its v1 trainer with an asynchronous rollout server."""

from pathlib import Path
from typing import Final

from rrm.train.overrides import shared
from rrm.train.overrides.hydra_text import Value
from rrm.train.overrides.job import LORA_ALPHA, Job
from rrm.train.overrides.shared import ACTOR, FLOAT32, MODEL, RAY, REF, ROLLOUT

HOOKS: Final[dict[str, Value]] = {
    "data.custom_cls.path": "pkg://rrm.train.hooks.dataset",
    "data.custom_cls.name": "PreparedRows",
    "reward.reward_manager.source": "importlib",
    "reward.reward_manager.name": "RrmRewardManager",
    "reward.reward_manager.module.path": "pkg://rrm.train.hooks.reward_manager",
    f"{ROLLOUT}.agent.agent_loop_config_path": str(Path(__file__).parents[1] / "hooks" / "agent_loops.yaml"),
    f"{ROLLOUT}.agent.default_agent_loop": "rrm",
}
"""Our classes at verl's extension points."""

PINNED: Final[dict[str, Value]] = {
    **shared.PINNED,
    "data.dataloader_num_workers": 0,
    # Rows are compared by position across steps only after sorting; no order is safer than a random one.
    "data.validation_shuffle": False,
    f"{ACTOR}.optim.lr_scheduler_type": "constant",
    f"{ACTOR}.fsdp_config.strategy": "fsdp2",
    f"{ROLLOUT}.name": "vllm",
    # Otherwise its actors are bound to any node, also to a head without CPUs, where they never start.
    "+transfer_queue.backend.SimpleStorage.required_node_resource": "GPU",
    "trainer.logger": "[console,file]",
}

NVIDIA: Final[dict[str, Value]] = {
    "trainer.device": "cuda",
    # flash-attn has no wheel on the public index.
    f"+{MODEL}.override_config.attn_implementation": "sdpa",
    f"{MODEL}.enable_gradient_checkpointing": True,
    f"{REF}.fsdp_config.param_offload": True,
}

CPU: Final[dict[str, Value]] = {
    "trainer.device": "cpu",
    f"{MODEL}.enable_gradient_checkpointing": False,
    f"+{MODEL}.override_config.attn_implementation": "sdpa",
    f"{ACTOR}.fsdp_config.dtype": "float32",
    f"+{ACTOR}.fsdp_config.mixed_precision": FLOAT32,
    f"{ACTOR}.use_torch_compile": False,
    f"{ACTOR}.fsdp_config.use_torch_compile": False,
    f"{REF}.strategy": "fsdp2",
    f"{REF}.fsdp_config.strategy": "fsdp2",
    f"{REF}.fsdp_config.dtype": "float32",
    f"+{REF}.fsdp_config.mixed_precision": FLOAT32,
    f"{REF}.fsdp_config.use_torch_compile": False,
    f"{ROLLOUT}.dtype": "float32",
    f"{ROLLOUT}.enforce_eager": True,
    f"{ROLLOUT}.free_cache_engine": False,
    # vLLM has no sleep mode on a CPU.
    f"+{ROLLOUT}.enable_sleep_mode": False,
    # A seeded request whose prompt is prefilled in pieces kills vLLM here: "CPU Generator does not use
    # offset".
    f"{ROLLOUT}.enable_chunked_prefill": False,
    f"{ROLLOUT}.max_num_seqs": 64,
    # The default of 2048 takes 2 GiB of /dev/shm.
    f"{ROLLOUT}.checkpoint_engine.update_weights_bucket_megabytes": 64,
    # The defaults of 8 are 8 processes each.
    f"{ROLLOUT}.agent.num_workers": 1,
    "reward.num_workers": 1,
    "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
    "transfer_queue.backend.SimpleStorage.total_storage_size": 2000,
}
"""A CPU computes in float32, without compiler and flash attention; only FSDP2 accepts its parameters."""

MOST_REFILLS: Final = 10
"""Extra batches a step may order while groups are filtered; verl only warns, our trainer ends the run."""


def render(job: Job) -> dict[str, Value]:
    """Return every key that differs from verl's defaults or must not follow their changes."""
    return {
        **HOOKS,
        **shared.own_dataset(job, "pkg://rrm.train.hooks.upstream_dataset"),
        **PINNED,
        # A budget of tokens holds only where rows are packed: padded, the longest of a batch sets its size.
        f"{MODEL}.use_remove_padding": job.numbers.max_tokens_per_gpu is not None,
        **(CPU if job.is_cpu else {**NVIDIA, **_memory(job)}),
        **shared.data(job),
        "data.seed": job.seed,
        **shared.learning(job),
        **_lora(job.numbers.lora_rank),
        f"{ACTOR}.fsdp_config.seed": job.seed,
        **_filter(job),
        **shared.rollout(job),
        f"{ROLLOUT}.max_model_len": job.room,
        f"{ROLLOUT}.max_num_batched_tokens": job.batched_tokens,
        **shared.trainer(job),
        **({} if job.ray.address is not None else {f"{RAY}.num_cpus": shared.logical_cpus(job)}),
        **shared.embedded_ray(job),
        **shared.forwarded(job),
        **shared.settings(job),
    }


def _memory(job: Job) -> dict[str, Value]:
    return {f"{ROLLOUT}.gpu_memory_utilization": job.numbers.gpu_memory_utilization}


def _filter(job: Job) -> dict[str, Value]:
    if not job.numbers.filter_groups:
        return {}
    return {
        "algorithm.filter_groups.enable": True,
        # Right or wrong, never the shaped reward: groups that only differ in form would pass.
        "algorithm.filter_groups.metric": "acc",
        "algorithm.filter_groups.max_num_gen_batches": MOST_REFILLS,
    }


def _lora(rank: int) -> dict[str, Value]:
    if rank == 0:
        return {}
    return {
        f"{MODEL}.lora_rank": rank,
        f"{MODEL}.lora_alpha": LORA_ALPHA,
        f"{MODEL}.target_modules": "all-linear",
        # The engine reads the base weights itself and is sent the adapter only.
        f"{ROLLOUT}.load_format": "safetensors",
    }
